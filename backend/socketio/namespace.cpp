#include "backend/socketio/namespace.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "backend/socketio/client.h"
#include "backend/socketio/handshake_json.h"
#include "backend/socketio/namespace_impl.h"
#include "backend/socketio/question.h"
#include "backend/socketio/socket_extras.h"

namespace limpet::socketio {

Handlers::Handlers() : table_(std::make_unique<Table>()) {}
Handlers::~Handlers() = default;
void Handlers::add_middleware(Middleware middleware) {
  table_->middlewares.push_back(std::make_shared<Middleware>(std::move(middleware)));
}
void Handlers::add_event_middleware(EventMiddleware middleware) {
  table_->events.middlewares.push_back(std::make_shared<EventMiddleware>(std::move(middleware)));
}
HandlerId Handlers::add(std::string_view event, EventHandler handler, bool once) {
  return table_->events.add(event, std::move(handler), once);
}
HandlerId Handlers::add_error(ErrorHandler handler) {
  return table_->events.add(table_->events.error, std::move(handler));
}
void Handlers::off(std::string_view event) {
  table_->events.off(event);
}
void Handlers::off(HandlerId handler) {
  table_->events.off(handler);
}
void Handlers::on_connection(ConnectHandler handler) {
  table_->connection.add(std::move(handler));
}
HandlerId Handlers::on_any(AnyHandler handler) {
  return table_->events.add(table_->events.any, std::move(handler));
}
HandlerId Handlers::on_any_outgoing(AnyHandler handler) {
  return table_->events.add(table_->events.any_outgoing, std::move(handler));
}
HandlerId Handlers::on_disconnecting(LeaveHandler handler) {
  return table_->events.add(table_->events.disconnecting, std::move(handler));
}
HandlerId Handlers::on_disconnect(LeaveHandler handler) {
  return table_->events.add(table_->events.disconnect, std::move(handler));
}

Namespace::Namespace(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Namespace::~Namespace() = default;

void intrusive_ptr_add_ref(Namespace* nsp) {
  ++nsp->impl_->count;
}
void intrusive_ptr_release(Namespace* nsp) {
  if (--nsp->impl_->count == 0) delete nsp;
}

std::string_view Namespace::name() const {
  return impl_->name_;
}
Server& Namespace::server() const {
  return impl_->server->self;
}
std::size_t Namespace::size() const {
  return impl_->rooms_.size();
}
Socket* Namespace::find(std::string_view id) const {
  return static_cast<Socket*>(impl_->rooms_.find(id));
}
std::size_t Namespace::rooms() const {
  return impl_->rooms_.rooms();
}
std::vector<std::string> Namespace::room_names() const {
  return impl_->rooms_.names();
}

void Namespace::for_each(const std::function<void(Socket&)>& visit) {
  for (const SocketPtr& socket : impl_->chosen({})) visit(*socket);
}

Pending<Answers> Namespace::server_side_emit_with_ack(std::string_view event, Args args) {
  return Pending<Answers>(
      [self = NamespacePtr(this), event = std::string(event), args = std::move(args)](auto done) {
        self->server_side_emit(event, args,
                               [done = std::move(done)](std::string_view error, const Args& answers) {
                                 done({std::string(error), answers});
                               });
      });
}

void Namespace::server_count(std::function<void(std::size_t)> done) {
  if (impl_->adapter)
    impl_->adapter->server_count(std::move(done));
  else
    done(0);
}

void Namespace::server_side_emit(std::string_view event, const Args& args, OnAnswers done) {
  // A Node.js peer emits what it is sent on an EventEmitter, where an `error` that nobody listens to ends the
  // process.
  if (event == "connect" || event == "connection" || event == "new_namespace" || event == "error")
    throw std::invalid_argument("reserved event: " + std::string(event));
  if (impl_->adapter)
    impl_->adapter->server_side_emit(event, args, std::move(done));
  else if (done)
    done("the namespace is no more", {});
}

void Namespace::on_server_event(std::string_view event, ServerHandler handler) {
  impl_->server_handlers[std::string(event)].add(std::move(handler));
}

Namespace::Impl::Impl(Server::Impl& the_server, std::string_view name, DynamicNamespace* the_parent)
    : server(&the_server), parent(the_parent), name_(name) {}
Namespace::Impl::~Impl() = default;

std::unique_ptr<Namespace> Namespace::Impl::make(std::unique_ptr<Impl> impl) {
  Impl& it = *impl;
  std::unique_ptr<Namespace> nsp(new Namespace(std::move(impl)));
  it.self = nsp.get();
  it.adapter = it.server->options.adapter(it);
  it.rooms_.on_room = [&it](std::string_view room, bool exists) {
    if (it.adapter) it.adapter->on_room(room, exists);
  };
  it.rooms_.on_member = [&it](std::string_view id, bool here) {
    if (it.adapter) it.adapter->on_socket(id, here);
  };
  if (it.server->options.recovery.enabled && it.adapter->saves_early())
    it.early = std::make_unique<EarlySaves>(it);
  return nsp;
}

// The adapter first: what is asked from within an answer then fails at once.
void Namespace::Impl::stop() {
  adapter.reset();
  early.reset();
  for (auto& [id, question] : std::exchange(questions, {})) question->finish(false);
  rounds.clear();
  server = nullptr;
  parent = nullptr;
}

std::shared_ptr<Middleware> Namespace::Impl::middleware(std::size_t index) {
  std::shared_ptr<Middleware> found;
  each_table([&](const Handlers::Table& table) {
    if (found) return;
    if (index < table.middlewares.size())
      found = table.middlewares[index];
    else
      index -= table.middlewares.size();
  });
  return found;
}

std::vector<SocketPtr> Namespace::Impl::chosen(const adapter::Target& target) {
  std::vector<SocketPtr> sockets;
  rooms_.visit(target, [&](adapter::Member& member) { sockets.emplace_back(static_cast<Socket*>(&member)); });
  return sockets;
}

adapter::Encoded Namespace::Impl::encode(const adapter::Event& event,
                                         std::optional<std::string_view> offset) {
  check_event(event);
  server->writer.event(name_, std::nullopt, event.name, event.name_is_number, event.args, offset);
  return encoded(server->writer);
}

void Namespace::Impl::check(const adapter::Event& event) const {
  check_event(event);
  check_attachments(event.args.attachments(), server->bounds);
}

adapter::Encoded Namespace::Impl::encoded(const PacketWriter& packet) const {
  check_attachments(packet.attachments().size(), server->bounds);
  adapter::Encoded made{engine::packet_of(engine::Kind::text, {packet.text()}), {}};
  for (const std::string* bytes : packet.attachments()) {
    made.attachments.push_back(engine::packet_of(engine::Kind::binary, {*bytes}));
  }
  return made;
}

void Namespace::Impl::deliver(const adapter::Encoded& event, const adapter::Target& target) {
  tell_outgoing(event, target);
  if (server == nullptr) return;  // nobody is left
  const Server::Impl::Sending sending(*server);
  rooms_.visit(target, [&](adapter::Member& member) {
    Client* client = static_cast<Socket&>(member).client_;
    if (client == nullptr || (target.flags.volatile_ && !(client->open() && client->session()->writable())))
      return;
    ++server->totals.events_out;
    client->send(event);
  });
}

void Namespace::Impl::fetch(const adapter::Target& target, std::vector<adapter::RemoteSocket>& found) {
  for (const SocketPtr& socket : chosen(target)) {
    found.push_back(
        {std::string(socket->id()), handshake_json(*socket), socket->rooms(), std::as_const(*socket).data()});
  }
}

void Namespace::Impl::join(const adapter::Target& target, const std::vector<std::string>& rooms) {
  for (const SocketPtr& socket : chosen(target)) {
    for (const std::string& room : rooms) socket->join(room);
  }
}

void Namespace::Impl::leave(const adapter::Target& target, const std::vector<std::string>& rooms) {
  for (const SocketPtr& socket : chosen(target)) {
    for (const std::string& room : rooms) socket->leave(room);
  }
}

void Namespace::Impl::disconnect(const adapter::Target& target, bool close) {
  for (const SocketPtr& socket : chosen(target)) socket->disconnect(close);
}

void Namespace::Impl::supersede(std::string_view id) {
  if (auto* socket = static_cast<Socket*>(rooms_.find(id))) socket->end_superseded();
}

void Namespace::Impl::save(std::string_view id) {
  if (auto* socket = static_cast<Socket*>(rooms_.find(id))) socket->changed();
}

bool Namespace::Impl::on_server_side_event(std::string_view name, const Args& args,
                                           std::function<void(const Args&)> reply) {
  const auto at = server_handlers.find(std::string(name));
  if (at == server_handlers.end()) return false;
  std::function<void(const Args&)> once = [](const Args&) {};
  if (reply) {
    once = [reply = std::move(reply), used = std::make_shared<bool>(false)](const Args& answer) {
      if (!std::exchange(*used, true)) reply(answer);
    };
  }
  const NamespacePtr keep(self);
  at->second.each([&](ServerHandler& handler) {
    if (server != nullptr) server->guarded(name, [&] { handler(args, once); });  // one may end it
  });
  return true;
}

void check_event(std::string_view event) {
  if (is_reserved(event)) throw std::invalid_argument("reserved event: " + std::string(event));
}

void check_event(const adapter::Event& event) {
  if (!event.name_is_number) check_event(event.name);
}

void check_attachments(std::size_t count, const Bounds& bounds) {
  if (count > bounds.attachments) throw std::invalid_argument("too many attachments");
}

DynamicNamespace::DynamicNamespace(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DynamicNamespace::~DynamicNamespace() = default;

void DynamicNamespace::send(std::string_view event, const Args& args) {
  check_event(event);
  std::vector<NamespacePtr> children;
  for (const auto& [name, nsp] : impl_->server->namespaces) {
    if (nsp->impl().parent == this) children.push_back(nsp);
  }
  for (const NamespacePtr& nsp : children) nsp->emit(event, args);
}

}  // namespace limpet::socketio
