#include "backend/socketio/client.h"

#include <algorithm>
#include <utility>

#include "backend/socketio/namespace_impl.h"
#include "backend/socketio/query.h"
#include "backend/socketio/socket_extras.h"

namespace limpet::socketio {

namespace {

// What a value of JSON may take for a byte of its text: `0,` is two, and a value is 24.
constexpr std::size_t kValuePerByte = 12;

}  // namespace

using engine::Kind;

Client::Client(Server::Impl& server, engine::Session& session)
    : server_(server),
      session_(&session),
      bucket_(server.options.limits.events_per_second, server.loop.turn_ms()),
      index_(static_cast<std::uint32_t>(server.clients.size())),
      revision_(static_cast<std::uint8_t>(session.revision())) {
  server.clients.push_back(this);
  intrusive_ptr_add_ref(this);  // the session's
}

Client::~Client() {
  if (!abandoned_) forget();
}

void Client::forget() {
  Client* last = server_.clients.back();
  server_.clients[index_] = last;
  last->index_ = index_;
  server_.clients.pop_back();
}

// A Socket.IO 2.x client is in "/" without having asked.
void Client::start() {
  connect_timer_ =
      std::make_unique<net::Timer>(server_.loop, net::delegate<&Client::on_connect_timeout>(this));
  connect_timer_->after(server_.options.connect_timeout_ms);
  if (revision_ != 3) return;
  const ClientPtr keep(this);
  join(*server_.find("/"), boost::json::object());
}

void Client::on_message(Kind kind, std::string_view data) {
  const ClientPtr keep(this);
  if (!open()) return;
  if (kind == Kind::binary)
    attachment(data);
  else
    text(data);
}

void Client::text(std::string_view data) {
  const auto header = partial_ ? std::nullopt : read_header(data, server_.bounds);
  if (!header) return invalid();
  count_event();
  std::string_view name = header->nsp;
  NamespaceQuery split;
  if (revision_ == 3 && name.find('?') != std::string_view::npos) {
    split = split_namespace(name);
    name = split.path;
  }
  Socket* socket = joined(name);
  switch (header->type) {
    case Type::connect:
      if (socket != nullptr) return close();
      return connect(*header, split.query);
    case Type::connect_error: return close();
    default: break;
  }
  if (socket == nullptr) return close();
  const SocketPtr kept(socket);
  if (header->type == Type::disconnect) {
    if (!header->payload.empty()) return invalid();
    socket->leave_namespace("client namespace disconnect");
  } else if (header->type == Type::event || header->type == Type::binary_event) {
    event(*socket, *header);
  } else {
    ack(*socket, *header);
  }
}

void Client::event(Socket& socket, const Header& header) {
  EventData data;
  std::string room;
  if (!read_event(header, server_.bounds, room, data)) return invalid();
  if (header.attachments == 0) return socket.dispatch(data.name, data.args, header.id);
  partial_ = std::make_unique<Partial>(*this, header, std::move(data));
}

void Client::ack(Socket& socket, const Header& header) {
  EventData data;
  if (!read_ack(header, server_.bounds, data.args)) return invalid();
  if (header.attachments != 0)
    partial_ = std::make_unique<Partial>(*this, header, std::move(data));
  else if (header.id)
    socket.answered(*header.id, data.args);
}

Client::Partial::Partial(Client& client, const Header& header, EventData data)
    : type(header.type),
      nsp(header.nsp),
      id(header.id),
      awaited(header.attachments),
      name(data.name),
      args(std::move(data.args)),
      patience_ms(client.server_.options.engine.ping_interval_ms +
                  client.server_.options.engine.ping_timeout_ms),
      deadline(client.server_.loop, net::delegate<&Client::invalid>(&client)) {
  share.set(sizeof(Partial) + kValuePerByte * header.payload.size());
  expect();
}

void Client::Partial::expect() {
  deadline.after(patience_ms);
}

void Client::attachment(std::string_view data) {
  if (!partial_) return invalid();
  partial_->args.attach(std::string(data));
  partial_->share.set(partial_->share.bytes() + data.size());
  if (partial_->args.binaries().size() < partial_->awaited) return partial_->expect();
  const auto whole = std::exchange(partial_, nullptr);
  if (!placeholders_fit(whole->args.values(), whole->awaited, server_.bounds.attachments)) return invalid();
  Socket* socket = joined(revision_ == 3 ? split_namespace(whole->nsp).path : std::string_view(whole->nsp));
  if (socket == nullptr) return close();
  const SocketPtr kept(socket);
  if (whole->type == Type::binary_event)
    socket->dispatch(whole->name, whole->args, whole->id);
  else if (whole->id)
    socket->answered(*whole->id, whole->args);
}

// The socket of a namespace; the newer one if there are two.
Socket* Client::joined(std::string_view nsp) const {
  for (auto at = sockets_.rbegin(); at != sockets_.rend(); ++at) {
    if ((*at)->nsp_->name() == nsp) return at->get();
  }
  return nullptr;
}

// One is heard still when its client has had its share; the next has to wait.
void Client::count_event() {
  const std::uint32_t rate = server_.options.limits.events_per_second;
  if (rate == 0) return;
  const std::uint64_t wait_ms = bucket_.take(rate, server_.loop.turn_ms());
  if (wait_ms == 0) return;
  ++server_.totals.throttled;
  session_->pause();
  if (!held_up_) held_up_ = std::make_unique<net::Timer>(server_.loop, net::delegate<&Client::go_on>(this));
  held_up_->after(wait_ms);
}

void Client::go_on() {
  if (session_ != nullptr) session_->resume();
}

void Client::invalid() {
  const ClientPtr keep(this);  // its timer may be what calls
  ++server_.totals.invalid;
  const auto sockets = sockets_;
  for (const SocketPtr& socket : sockets) socket->tell_error({"invalid payload", nullptr});
  close();
}

void Client::over_limit() {
  ++server_.totals.over_limit;
  close();
}

void Client::send(const PacketWriter& packet) {
  if (!open()) return;
  const Server::Impl::Sending sending(server_);
  session_->send(engine::packet_of(Kind::text, {packet.text()}));
  for (const std::string* bytes : packet.attachments()) {
    if (open()) session_->send(engine::packet_of(Kind::binary, {*bytes}));
  }
}

void Client::send(const adapter::Encoded& event) {
  if (!open()) return;
  const Server::Impl::Sending sending(server_);
  session_->send(event.head);
  for (const auto& attachment : event.attachments) {
    if (open()) session_->send(attachment);
  }
}

void Client::remove(Socket& socket) {
  const auto at = std::find(sockets_.begin(), sockets_.end(), &socket);
  if (at != sockets_.end()) sockets_.erase(at);
}

void Client::disconnect() {
  const auto sockets = sockets_;
  for (const SocketPtr& socket : sockets) socket->disconnect();
  close();
}

// What is queued still leaves, but nothing is heard any more. The words are Socket.IO's: a close that has to
// wait for a poll is the server's, one that is done at once the transport's.
void Client::close() {
  if (!open()) return;
  const ClientPtr keep(this);
  closing_ = true;
  const bool at_once = session_->over_websocket() || session_->writable();
  session_->close();
  if (!gone_) ended(at_once ? "forced close" : "forced server close");
}

void Client::on_close(engine::Reason reason) {
  const ClientPtr keep(this, false);  // the session's
  if (server_.sending != 0) {
    closing_ = true;
    session_ = nullptr;
    return server_.close_later(*this, reason);
  }
  closing_ = true;
  ended(engine::text_of(reason));
  session_ = nullptr;
}

void Client::ended(std::string_view reason) {
  if (std::exchange(gone_, true)) return;
  partial_.reset();
  connect_timer_.reset();
  if (std::exchange(held_up_, nullptr)) go_on();  // a POST is answered
  const auto sockets = sockets_;
  for (const SocketPtr& socket : sockets) socket->leave_namespace(reason);
}

void Client::abandon() {
  closing_ = gone_ = abandoned_ = true;
  forget();
  partial_.reset();
  connect_timer_.reset();
  held_up_.reset();
  const auto sockets = std::exchange(sockets_, {});
  for (const SocketPtr& socket : sockets) socket->detach();
  if (std::exchange(session_, nullptr) != nullptr) intrusive_ptr_release(this);
}

void Client::on_connect_timeout() {
  close();
}

}  // namespace limpet::socketio
