// A socket from being let in to its end, and the answers of both sides in between.
#include <utility>

#include "backend/socketio/client.h"
#include "backend/socketio/namespace_impl.h"
#include "backend/socketio/socket_extras.h"

namespace limpet::socketio {
namespace {

// Reasons after which a client may come back for its session.
bool may_come_back(std::string_view reason) {
  return reason == "transport error" || reason == "transport close" || reason == "forced close" ||
         reason == "ping timeout" || reason == "server shutting down" || reason == "forced server close" ||
         reason == engine::text_of(engine::Reason::slow_consumer);
}

}  // namespace

// A session that is restored while its first connection still stands belongs to the newer one. Where sessions
// are saved early that is how most come back: the older one, whose client has gone, ends at once.
void Socket::enter() {
  adapter::Rooms& rooms = nsp_->impl().rooms_;
  if (auto* older = static_cast<Socket*>(rooms.find(id()))) {
    if (nsp_->impl().early) {
      older->end_superseded();
    } else {
      older->superseded_ = true;
      rooms.remove(*older);
    }
  }
  rooms.add(*this);
  ++nsp_->impl().connected;
  state_ = State::connected;
}

// An answer to nothing is nothing.
void Socket::answered(AckId id, const Args& args) {
  if (!extras_ || extras_->pending.count(id) == 0) return;
  ++client_->server().totals.acks_in;
  extras_->settle(id, {NoAnswer::none, args});
}

void Socket::answer(AckId id, const Args& args) {
  if (client_ == nullptr || state_ == State::gone) return;
  Server::Impl& server = client_->server();
  server.writer.ack(nsp_->impl().name_, id, args);
  check_attachments(server.writer.attachments().size(), server.bounds);
  ++server.totals.acks_out;
  client_->send(server.writer);
}

void Socket::leave_namespace(std::string_view reason) {
  if (state_ != State::connected) return;
  const SocketPtr keep(this);
  const NamespacePtr nsp(nsp_);
  Namespace::Impl& impl = nsp->impl();
  Server::Impl& server = *impl.server;
  const auto tell = [&](HandlerList<LeaveHandler> EventTable::*list, std::string_view where) {
    each_table([&](EventTable& table) {
      (table.*list).each([&](LeaveHandler& handler) {
        server.guarded(where, [&] { handler(*this, reason); });
      });
    });
  };
  state_ = State::leaving;
  tell(&EventTable::disconnecting, "disconnecting");
  if (server.options.recovery.enabled && !superseded_ && may_come_back(reason)) {
    impl.adapter->persist(session());
  } else if (impl.early && !superseded_) {
    impl.adapter->forget(extras().pid);
  }
  impl.rooms_.remove(*this);
  client_->remove(*this);
  state_ = State::gone;
  tell(&EventTable::disconnect, "disconnect");
  detach();
  --impl.connected;
  server.left(*nsp);
}

void Socket::changed() {
  if (auto& early = nsp_->impl().early; early && state_ == State::connected) early->changed(*this);
}

void Socket::end_superseded() {
  const SocketPtr keep(this);
  superseded_ = true;
  leave_namespace("transport close");
  nsp_->impl().rooms_.remove(*this);  // one that was leaving already
}

// From here on nothing that is asked of it has an effect. Its handlers may hold it, so they go; not before
// the turn's end, as one of them may be running.
void Socket::detach() {
  state_ = State::gone;
  nsp_->impl().rooms_.remove(*this);
  client_ = nullptr;
  if (!extras_) return;
  extras_->close_timer.reset();
  extras_->settle_all(NoAnswer::disconnected);
  Server::Impl* server = nsp_->impl().server;
  if (server != nullptr && extras_->events) server->retire(std::move(extras_->events));
  extras_->events.reset();
  watch_outgoing();
}

}  // namespace limpet::socketio
