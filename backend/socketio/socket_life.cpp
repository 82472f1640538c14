// A socket from being let in to its end, and what its client says in between.
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

// A session that is restored while its first connection still stands belongs to the newer one.
void Socket::enter() {
  adapter::Rooms& rooms = nsp_->impl().rooms_;
  if (auto* older = static_cast<Socket*>(rooms.find(id()))) {
    older->superseded_ = true;
    rooms.remove(*older);
  }
  rooms.add(*this);
  ++nsp_->impl().connected;
  state_ = State::connected;
}

void Socket::dispatch(std::string_view event, const Args& args, std::optional<AckId> id) {
  Server::Impl& server = client_->server();
  ++server.totals.events_in;
  const Ack ack = id ? Ack(*this, *id) : Ack();
  const NamespacePtr nsp(nsp_);
  const auto each = [&](auto&& call) {
    nsp->impl().each_table([&](Handlers::Table& table) { call(table.events); });
    if (extras_ && extras_->events) call(*extras_->events);
  };
  each([&](const EventTable& table) {
    table.any.each([&](AnyHandler& handler) { server.guarded(event, [&] { handler(*this, event, args); }); });
  });
  if (state_ != State::connected) return;  // one of them has disconnected it
  each([&](const EventTable& table) {
    table.each(event,
               [&](EventHandler& handler) { server.guarded(event, [&] { handler(*this, args, ack); }); });
  });
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
  check_attachments(server.writer, server.bounds);
  ++server.totals.acks_out;
  client_->send(server.writer);
}

void Socket::tell_error(std::string_view what) {
  if (state_ != State::connected) return;
  const NamespacePtr nsp(nsp_);
  Server::Impl& server = *nsp->impl().server;
  const auto call = [&](const EventTable& table) {
    table.error.each([&](LeaveHandler& handler) { server.guarded("error", [&] { handler(*this, what); }); });
  };
  nsp->impl().each_table([&](Handlers::Table& table) { call(table.events); });
  if (extras_ && extras_->events) call(*extras_->events);
}

void Socket::leave_namespace(std::string_view reason) {
  if (state_ != State::connected) return;
  const SocketPtr keep(this);
  const NamespacePtr nsp(nsp_);
  Namespace::Impl& impl = nsp->impl();
  Server::Impl& server = *impl.server;
  const auto tell = [&](HandlerList<LeaveHandler> EventTable::*list, std::string_view where) {
    const auto call = [&](const EventTable& table) {
      (table.*list).each([&](LeaveHandler& handler) {
        server.guarded(where, [&] { handler(*this, reason); });
      });
    };
    impl.each_table([&](Handlers::Table& table) { call(table.events); });
    if (extras_ && extras_->events) call(*extras_->events);
  };
  state_ = State::leaving;
  tell(&EventTable::disconnecting, "disconnecting");
  if (server.options.recovery.enabled && !superseded_ && may_come_back(reason)) {
    impl.adapter->persist({std::string(id()), extras().pid, rooms(), data()});
  }
  impl.rooms_.remove(*this);
  client_->remove(*this);
  state_ = State::gone;
  tell(&EventTable::disconnect, "disconnect");
  detach();
  --impl.connected;
  server.left(*nsp);
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
}

}  // namespace limpet::socketio
