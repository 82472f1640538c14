#include "backend/socketio/socket.h"

#include <stdexcept>
#include <utility>

#include "backend/socketio/client.h"
#include "backend/socketio/namespace_impl.h"
#include "backend/socketio/socket_extras.h"

namespace limpet::socketio {
namespace {

constexpr std::size_t kRoomName = 1024;  // bytes

}  // namespace

Socket::Socket(Namespace& nsp, Client& client) : nsp_(&nsp), client_(&client) {
  intrusive_ptr_add_ref(nsp_);
}

Socket::~Socket() {
  intrusive_ptr_release(nsp_);
}

void intrusive_ptr_release(Socket* socket) {
  if (--socket->count_ == 0) delete socket;
}

std::string_view Socket::id() const {
  return Member::id();
}
Server& Socket::server() const {
  return nsp_->server();
}
bool Socket::connected() const {
  return state_ == State::connected || state_ == State::leaving;
}
bool Socket::recovered() const {
  return recovered_;
}
std::string_view Socket::transport() const {
  if (client_ == nullptr || client_->session() == nullptr) return {};
  return client_->session()->over_websocket() ? "websocket" : "polling";
}
int Socket::revision() const {
  return client_ != nullptr ? client_->revision() : 4;
}

const engine::Handshake& Socket::handshake() const {
  static const engine::Handshake::Owner kNone = engine::Handshake::make({}, 0, false);
  return client_ != nullptr && client_->session() != nullptr ? client_->session()->handshake() : *kNone;
}

const boost::json::object& Socket::auth() const {
  static const boost::json::object kNone;
  return extras_ ? extras_->auth : kNone;
}

boost::json::value& Socket::data() {
  changed();
  return extras().data;
}

const boost::json::value& Socket::data() const {
  static const boost::json::value kNone = boost::json::object();
  return extras_ ? extras_->data : kNone;
}

Socket::Extras& Socket::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>();
  return *extras_;
}

adapter::Session Socket::session() {
  return {std::string(id()), extras().pid, rooms(), extras().data};
}

bool Socket::join(std::string_view room) {
  if (client_ == nullptr || room.size() > kRoomName) return false;
  adapter::Rooms& rooms = nsp_->impl().rooms_;
  if (rooms.in_room(*this, room)) return true;
  const std::uint32_t most = client_->server().options.limits.rooms_per_socket;
  if (most != 0 && room != id() && rooms.rooms_of(*this) >= most) {
    ++client_->server().totals.over_limit;
    return false;
  }
  rooms.join(*this, room);
  changed();
  return true;
}

void Socket::leave(std::string_view room) {
  if (nsp_->impl().rooms_.leave(*this, room)) changed();
}
bool Socket::in_room(std::string_view room) const {
  return nsp_->impl().rooms_.in_room(*this, room);
}
std::vector<std::string> Socket::rooms() const {
  return nsp_->impl().rooms_.names_of(*this);
}

Broadcast Socket::broadcast() const {
  return Broadcast(*nsp_).except(id());
}

// With recovery what is sent to one socket is kept for its return too, and the adapter does that.
void Socket::send(std::string_view event, const Args& args, bool may_drop) {
  check_event(event);
  if (client_ == nullptr || state_ == State::gone) return;
  Server::Impl& server = client_->server();
  Namespace::Impl& nsp = nsp_->impl();
  if (nsp.adapter->appends_offsets() && !may_drop && connected()) {
    nsp.adapter->broadcast({event, args}, {.rooms = {std::string(id())}, .except = {}, .flags = {}});
    return;
  }
  tell_outgoing(event, args);
  if (client_ == nullptr) return;  // one of those it was told to has ended it
  if (may_drop && !(client_->open() && client_->session()->writable())) return;
  server.writer.event(nsp.name_, std::nullopt, event, false, args);
  check_attachments(server.writer.attachments().size(), server.bounds);
  send_written(may_drop);
}

// Where events wait in the adapter for their offsets, those that get none wait as well: a client hears all in
// the order in which it was said.
void Socket::send_written(bool may_drop) {
  Server::Impl& server = client_->server();
  const auto now = [](Client& client, const auto& packet, bool drops) {
    if (drops && !(client.open() && client.session()->writable())) return;
    ++client.server().totals.events_out;
    client.send(packet);
  };
  Namespace::Impl& nsp = nsp_->impl();
  if (!nsp.adapter || !nsp.adapter->waits()) return now(*client_, server.writer, may_drop);
  nsp.adapter->in_turn([self = SocketPtr(this), packet = nsp.encoded(server.writer), may_drop, now] {
    if (self->client_ != nullptr) now(*self->client_, packet, may_drop);
  });
}

void Socket::emit_with_ack(std::string_view event, const Args& args, std::uint64_t timeout_ms, OnReply done) {
  check_event(event);
  if (client_ == nullptr || state_ == State::gone || !client_->open())
    return done({NoAnswer::disconnected, {}});
  Server::Impl& server = client_->server();
  const std::uint32_t most = server.options.limits.pending_acks;
  if (most != 0 && extras().pending.size() >= most) {
    ++server.totals.over_limit;
    return done({NoAnswer::too_many, {}});
  }
  tell_outgoing(event, args);
  if (client_ == nullptr) return done({NoAnswer::disconnected, {}});
  const std::uint64_t id = nsp_->impl().next_ack++;
  server.writer.event(nsp_->impl().name_, id, event, false, args);
  check_attachments(server.writer.attachments().size(), server.bounds);
  Extras::Pending& pending = extras().pending[id];
  pending.done = std::move(done);
  pending.socket = this;
  pending.id = id;
  if (timeout_ms != 0) {
    pending.timer =
        std::make_unique<net::Timer>(server.loop, net::delegate<&Extras::Pending::on_timeout>(&pending));
    pending.timer->after(timeout_ms);
  }
  send_written(false);
}

Pending<Reply> Socket::emit_with_ack(std::string_view event, Args args, std::uint64_t timeout_ms) {
  return Pending<Reply>([self = SocketPtr(this), event = std::string(event), args = std::move(args),
                         timeout_ms](Pending<Reply>::Done done) {
    self->emit_with_ack(event, args, timeout_ms,
                        [done = std::move(done)](const Reply& reply) { done(reply); });
  });
}

void Socket::disconnect(bool close) {
  if (client_ == nullptr || state_ == State::gone) return;
  const SocketPtr keep(this);
  const ClientPtr client(client_);
  if (close) return client->disconnect();
  if (state_ != State::connected) return;  // one that is leaving has said so, or its client has
  client->server().writer.plain(Type::disconnect, nsp_->impl().name_, {});
  client->send(client->server().writer);
  leave_namespace("server namespace disconnect");
}

void Socket::close_after(std::uint64_t ms) {
  if (client_ == nullptr) return;
  auto& timer = extras().close_timer;
  if (!timer)
    timer =
        std::make_unique<net::Timer>(client_->server().loop, net::delegate<&Socket::on_close_timer>(this));
  timer->after(ms);
}

void Socket::on_close_timer() {
  const SocketPtr keep(this);
  const ClientPtr client(client_);
  client->close();
}

EventTable& Socket::events() {
  auto& events = extras().events;
  if (!events) events = std::make_unique<EventTable>();
  return *events;
}

HandlerId Socket::add(std::string_view event, EventHandler handler, bool once) {
  return events().add(event, std::move(handler), once);
}
HandlerId Socket::add_error(ErrorHandler handler) {
  return events().add(events().error, std::move(handler));
}
void Socket::add_middleware(EventMiddleware middleware) {
  events().middlewares.push_back(std::make_shared<EventMiddleware>(std::move(middleware)));
}
void Socket::off(std::string_view event) {
  events().off(event);
}
void Socket::off(HandlerId handler) {
  events().off(handler);
  watch_outgoing();
}
HandlerId Socket::on_any(AnyHandler handler) {
  return events().add(events().any, std::move(handler));
}
void Socket::off_any() {
  events().any.clear();
}
HandlerId Socket::on_any_outgoing(AnyHandler handler) {
  const HandlerId id = events().add(events().any_outgoing, std::move(handler));
  watch_outgoing();
  return id;
}
void Socket::off_any_outgoing() {
  events().any_outgoing.clear();
  watch_outgoing();
}
HandlerId Socket::on_disconnecting(LeaveHandler handler) {
  return events().add(events().disconnecting, std::move(handler));
}
HandlerId Socket::on_disconnect(LeaveHandler handler) {
  return events().add(events().disconnect, std::move(handler));
}

bool Socket::Extras::settle(std::uint64_t id, const Reply& reply) {
  const auto at = pending.find(id);
  if (at == pending.end()) return false;
  auto node = pending.extract(at);
  node.mapped().timer.reset();
  const Socket* socket = node.mapped().socket;
  if (auto* server = socket->nsp_->impl().server) {
    server->guarded("acknowledgement", [&] { node.mapped().done(reply); });
  } else {
    node.mapped().done(reply);
  }
  return true;
}

void Socket::Extras::settle_all(NoAnswer why) {
  while (!pending.empty()) settle(pending.begin()->first, {why, {}});
}

}  // namespace limpet::socketio
