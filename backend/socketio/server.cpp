#include "backend/socketio/server.h"

#include <cstdio>
#include <utility>

#include "backend/adapter/memory.h"
#include "backend/socketio/client.h"
#include "backend/socketio/client_files.h"
#include "backend/socketio/namespace_impl.h"
#include "backend/socketio/socket_extras.h"

namespace limpet::socketio {
namespace {

adapter::Factory in_memory(const Recovery& recovery) {
  return [recovery](adapter::Host& host) {
    return std::make_unique<adapter::Memory>(
        host,
        adapter::Memory::Settings{recovery.enabled, recovery.max_disconnection_ms, recovery.max_packets,
                                  recovery.max_bytes, recovery.max_sessions, recovery.max_session_bytes});
  };
}

}  // namespace

Server::Impl::Impl(Server& the_self, net::Loop& the_loop, Options the_options)
    : self(the_self), loop(the_loop), options(std::move(the_options)) {
  if (!options.adapter) options.adapter = in_memory(options.recovery);
  if (options.limits.json_depth != 0) bounds.depth = options.limits.json_depth;
  if (options.limits.attachments != 0) bounds.attachments = options.limits.attachments;
  make("/", nullptr);
}

// Sessions first: what ends with them may still look at everything else.
Server::Impl::~Impl() {
  engine.reset();
  while (!clients.empty()) ClientPtr(clients.back())->abandon();
  waiting.clear();
  for (const auto& [name, nsp] : namespaces) nsp->impl().stop();
}

engine::Receiver* Server::Impl::on_open(engine::Session& session) {
  auto* client = new Client(*this, session);
  client->start();
  return client;
}

std::optional<std::string> Server::Impl::forbid(const wire::RequestHead& head, const net::Address& peer) {
  std::optional<std::string> why;
  if (!options.forbid) return why;
  why = "";  // an exception lets nobody in
  guarded("forbid", [&] { why = options.forbid(head, peer); });
  return why;
}

void Server::Impl::report(std::string_view where, const std::exception_ptr& exception) {
  ++totals.exceptions;
  std::string what = "an exception that is no std::exception";
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  if (options.on_exception) return options.on_exception(where, what);
  std::fprintf(stderr, "limpet: %.*s: %s\n", static_cast<int>(where.size()), where.data(), what.c_str());
}

void Server::Impl::close_later(Client& client, engine::Reason reason) {
  waiting.emplace_back(&client, reason);
  loop.at_end_of_turn(turn);
}

void Server::Impl::retire(std::unique_ptr<EventTable> table) {
  retired.push_back(std::move(table));
  loop.at_end_of_turn(turn);
}

void Server::Impl::retire(NamespacePtr nsp, std::unique_ptr<adapter::Adapter> adapter) {
  retired_namespaces.emplace_back(std::move(nsp), std::move(adapter));
  loop.at_end_of_turn(turn);
}

void Server::Impl::end_turn() {
  for (const auto& [client, reason] : std::exchange(waiting, {})) client->ended(engine::text_of(reason));
  std::exchange(retired, {}).clear();
  std::exchange(retired_namespaces, {}).clear();
}

Server::Server(net::Loop& loop, http::Server& http, Options options)
    : impl_(std::make_unique<Impl>(*this, loop, std::move(options))) {
  const Options& o = impl_->options;
  if (!o.serve_client.empty()) {
    impl_->client_files = std::make_unique<ClientFiles>(o.serve_client, o.engine.path, o.engine.cors);
    impl_->client_files->route(http);
  }
  impl_->engine = std::make_unique<engine::Server>(loop, http, impl_->options.engine, *impl_);
}
Server::~Server() = default;

Namespace& Server::of(std::string_view name) {
  std::string full(name);
  if (full.empty() || full[0] != '/') full.insert(full.begin(), '/');
  if (Namespace* known = impl_->find(full)) return *known;
  return impl_->make_asked_for(full);
}
Namespace& Server::sockets() {
  return *impl_->find("/");
}

Namespace* Server::find(std::string_view name) {
  return impl_->find(name);
}
engine::Server& Server::engine() {
  return *impl_->engine;
}
const Options& Server::options() const {
  return impl_->options;
}
engine::Application& Server::application() {
  return *impl_;
}

void Server::on_new_namespace(std::function<void(Namespace&)> handler) {
  impl_->new_namespace.push_back(std::move(handler));
}

Totals Server::totals() const {
  Totals totals = impl_->totals;
  totals.namespaces = impl_->namespaces.size();
  for (const auto& [name, nsp] : impl_->namespaces) {
    totals.sockets += nsp->size();
    totals.rooms += nsp->rooms();
  }
  return totals;
}

void Server::drain(std::uint64_t window_ms) {
  impl_->engine->refuse_new();
  impl_->engine->drain(window_ms);
}

void Server::close() {
  impl_->engine->refuse_new();
  impl_->engine->close_all();
}

}  // namespace limpet::socketio
