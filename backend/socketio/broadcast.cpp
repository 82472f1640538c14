#include "backend/socketio/broadcast.h"

#include <algorithm>
#include <iterator>

#include "backend/socketio/namespace_impl.h"

namespace limpet::socketio {
namespace {

void append(std::vector<std::string>& list, std::vector<std::string> more) {
  if (list.empty()) {
    list = std::move(more);
  } else {
    std::move(more.begin(), more.end(), std::back_inserter(list));
  }
}

}  // namespace

Broadcast Broadcast::to(RoomList rooms) const& {
  return Broadcast(*this).to(std::move(rooms));
}
Broadcast Broadcast::to(RoomList rooms) && {
  append(target_.rooms, std::move(rooms.names));
  return std::move(*this);
}
Broadcast Broadcast::except(RoomList rooms) const& {
  return Broadcast(*this).except(std::move(rooms));
}
Broadcast Broadcast::except(RoomList rooms) && {
  append(target_.except, std::move(rooms.names));
  return std::move(*this);
}
Broadcast Broadcast::local() && {
  target_.flags.local = true;
  return std::move(*this);
}
Broadcast Broadcast::volatile_() && {
  target_.flags.volatile_ = true;
  return std::move(*this);
}
Broadcast Broadcast::compress(bool on) && {
  target_.flags.compress = on;
  return std::move(*this);
}
Broadcast Broadcast::timeout(std::uint64_t ms) && {
  target_.flags.timeout_ms = ms;
  return std::move(*this);
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

void Broadcast::sockets_join(const RoomList& rooms) const {
  if (auto& adapter = nsp_->impl().adapter) adapter->join(target_, rooms.names);
}
void Broadcast::sockets_leave(const RoomList& rooms) const {
  if (auto& adapter = nsp_->impl().adapter) adapter->leave(target_, rooms.names);
}
void Broadcast::disconnect_sockets(bool close) const {
  if (auto& adapter = nsp_->impl().adapter) adapter->disconnect(target_, close);
}

}  // namespace limpet::socketio
