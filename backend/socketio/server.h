// Server: a Socket.IO server (protocol 5, and Socket.IO 2.x clients with engine.allow_eio3) in a few lines.
//
//   net::Loop loop;
//   http::Server http(loop, {});
//   socketio::Server io(loop, http, {.engine = {.node_id = "ws1"}});
//   io.on("echo", [](const Args& args, const Ack& ack) { ack(args); });
//   io.on("join", [](Socket& socket, const Args& args) { socket.join(args[0].as_string()); });
//   io.on_connection([](Socket& socket) { socket.to("room").emit("joined", socket.id()); });
//   http.listen(...); loop.run();
//
// Everything happens on the loop's thread, handlers too: they must not block. One process is one loop; more
// cores are more processes, joined by an adapter. Handlers may emit, join, leave and disconnect whatever they
// like from within; they may not destroy the Server. An exception that leaves a handler is told to
// Options::on_exception and ends nothing. (Args' accessors of boost::json throw on the wrong kind, so that a
// handler may read what a stranger sent as if it were right.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "backend/engine/server.h"
#include "backend/http/server.h"
#include "backend/socketio/namespace.h"
#include "backend/socketio/options.h"
#include "backend/socketio/socket.h"
#include "proxy/net/loop.h"

namespace limpet::socketio {

// What has happened since the start; gauges are now.
struct Totals {
  std::uint64_t events_in = 0, events_out = 0;  // out: times delivered
  std::uint64_t acks_in = 0, acks_out = 0;
  std::uint64_t connected = 0, refused = 0;  // sockets let in; by middleware or for an unknown namespace
  std::uint64_t invalid = 0;                 // connections closed for what they sent
  std::uint64_t over_limit = 0;              // asked for more than Limits
  std::uint64_t throttled = 0;               // times: events_per_second
  std::uint64_t recovered = 0;
  std::uint64_t exceptions = 0;  // that left handlers
  std::size_t sockets = 0, rooms = 0, namespaces = 0;
};

class Server final : public Audience<Server> {
 public:
  Server(net::Loop& loop, http::Server& http, Options options);
  ~Server();  // ends all connections without a word
  Server(const Server&) = delete;

  // The namespace of that name, made if need be; a missing slash is added. "/" is there from the start. One
  // whose name an of_pattern() fits is its child, and goes as a child does.
  Namespace& of(std::string_view name);
  // Namespaces made on demand: `accepts` is asked, in the order of registration, when a client asks for a
  // name that there is not. It may answer at once or later, once; dropped
  // uncalled, it says no.
  using Verdict = std::function<void(bool)>;
  DynamicNamespace& of(
      std::function<void(std::string_view name, const boost::json::value& auth, Verdict)> accepts);
  DynamicNamespace& of_pattern(
      const std::string& regex);  // ECMAScript, found anywhere in the name, as in JavaScript
  Namespace* find(std::string_view name);
  void on_new_namespace(std::function<void(Namespace&)> handler);

  // The namespace "/": what follows, and what Audience has, is its.
  Namespace& sockets();
  template <class F>
  void use(F f) {
    sockets().use(std::move(f));
  }
  template <class F>
  HandlerId on(std::string_view event, F f) {
    return sockets().on(event, std::move(f));
  }
  void on_connection(ConnectHandler handler) { sockets().on_connection(std::move(handler)); }
  HandlerId on_disconnect(LeaveHandler handler) { return sockets().on_disconnect(std::move(handler)); }
  void server_side_emit(std::string_view event, const Args& args, Namespace::OnAnswers done = {}) {
    sockets().server_side_emit(event, args, std::move(done));
  }
  Pending<Answers> server_side_emit_with_ack(std::string_view event, Args args) {
    return sockets().server_side_emit_with_ack(event, std::move(args));
  }
  void on_server_event(std::string_view event, Namespace::ServerHandler handler) {
    sockets().on_server_event(event, std::move(handler));
  }

  engine::Server& engine();
  const Options& options() const;
  Totals totals() const;

  // Shutdown: no new sessions; then those that there are end, over the window, at an even rate (reason
  // "server shutting down", no Socket.IO disconnect packet: clients come back). close(): at once.
  void drain(std::uint64_t window_ms);
  void close();

  // What Engine.IO tells of its sessions: for programs and tests that bring sessions of their own.
  engine::Application& application();

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::socketio
