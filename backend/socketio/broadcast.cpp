#include "backend/socketio/broadcast.h"

#include "backend/socketio/namespace_impl.h"

namespace limpet::socketio {

Broadcast Broadcast::to(std::string_view room) const& {
  return Broadcast(*this).to(room);
}
Broadcast Broadcast::to(std::string_view room) && {
  target_.rooms.emplace_back(room);
  return std::move(*this);
}
Broadcast Broadcast::except(std::string_view room) const& {
  return Broadcast(*this).except(room);
}
Broadcast Broadcast::except(std::string_view room) && {
  target_.except.emplace_back(room);
  return std::move(*this);
}
Broadcast Broadcast::local() const {
  Broadcast copy(*this);
  copy.target_.flags.local = true;
  return copy;
}
Broadcast Broadcast::volatile_() const {
  Broadcast copy(*this);
  copy.target_.flags.volatile_ = true;
  return copy;
}
Broadcast Broadcast::compress(bool on) const {
  Broadcast copy(*this);
  copy.target_.flags.compress = on;
  return copy;
}
Broadcast Broadcast::timeout(std::uint64_t ms) const {
  Broadcast copy(*this);
  copy.target_.flags.timeout_ms = ms;
  return copy;
}

void Broadcast::send(std::string_view event, const Args& args) const {
  check_event(event);
  if (auto& adapter = nsp_->impl().adapter) adapter->broadcast({event, args}, target_);
}

void Broadcast::emit_with_ack(std::string_view event, const Args& args, OnReplies done) const {
  if (nsp_->impl().adapter)
    nsp_->impl().ask(event, args, target_, std::move(done));
  else
    done({});
}

Pending<Replies> Broadcast::emit_with_ack(std::string_view event, Args args) const {
  return Pending<Replies>([self = *this, event = std::string(event), args = std::move(args)](auto done) {
    self.emit_with_ack(event, args, [done = std::move(done)](const Replies& replies) { done(replies); });
  });
}

void Broadcast::fetch_sockets(OnFound done) const {
  if (!nsp_->impl().adapter) return done({"the namespace is no more", {}});
  nsp_->impl().adapter->fetch_sockets(target_,
                                      [done = std::move(done)](std::string_view error, auto sockets) {
                                        done({error, std::move(sockets)});
                                      });
}

Pending<Found> Broadcast::fetch_sockets() const {
  return Pending<Found>([self = *this](auto done) {
    self.fetch_sockets([done = std::move(done)](const Found& found) { done(found); });
  });
}

void Broadcast::sockets_join(const std::vector<std::string>& rooms) const {
  if (auto& adapter = nsp_->impl().adapter) adapter->join(target_, rooms);
}
void Broadcast::sockets_leave(const std::vector<std::string>& rooms) const {
  if (auto& adapter = nsp_->impl().adapter) adapter->leave(target_, rooms);
}
void Broadcast::disconnect_sockets(bool close) const {
  if (auto& adapter = nsp_->impl().adapter) adapter->disconnect(target_, close);
}

}  // namespace limpet::socketio
