// Namespace: a name that clients join, with its sockets, rooms and handlers. Owned by the Server, on the
// loop's thread. Lives as long as the Server (a dynamic one: while it has sockets, with
// Options::cleanup_empty_child_namespaces).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/socketio/audience.h"
#include "backend/socketio/broadcast.h"
#include "backend/socketio/handlers.h"
#include "backend/socketio/socket.h"

namespace limpet::socketio {

class Server;

// What a Namespace and a parent of dynamic ones have in common: the handlers of every socket. A child has its
// parent's. Register before clients come; what is registered later is for those who join later (use,
// on_connection) or for events from then on (on).
class Handlers {
 public:
  Handlers();
  ~Handlers();
  Handlers(const Handlers&) = delete;

  // Asked in order before a socket joins; the first refusal ends it. See handlers.h for what `f` may look
  // like.
  template <class F>
  void use(F f) {
    add_middleware(middleware(std::move(f)));
  }
  // Asked of each event that a socket's client sends: Socket.IO's socket.use(), for all of them.
  template <class F>
  void use_events(F f) {
    add_event_middleware(event_middleware(std::move(f)));
  }
  void on_connection(ConnectHandler handler);  // its CONNECT is answered before what this emits
  template <class F>
  HandlerId on(std::string_view event, F f) {
    return add(event, event_handler(std::move(f)), false);
  }
  template <class F>
  HandlerId once(std::string_view event, F f) {  // for the first socket whose client sends it
    return add(event, event_handler(std::move(f)), true);
  }
  void off(std::string_view event);                  // all of them
  void off(HandlerId handler);                       // whatever it was registered for
  HandlerId on_any(AnyHandler handler);              // every event, before middlewares and its own handlers
  HandlerId on_any_outgoing(AnyHandler handler);     // as a Socket's: once for each that is sent to
  HandlerId on_disconnecting(LeaveHandler handler);  // rooms are still there
  HandlerId on_disconnect(LeaveHandler handler);
  // The client sent what cannot be read (its connection ends), or a middleware has refused an event. For
  // f(socket, refusal) or f(socket, message).
  template <class F>
  HandlerId on_error(F f) {
    return add_error(error_handler(std::move(f)));
  }

  struct Table;
  Table& table() { return *table_; }

 protected:
  void add_middleware(Middleware middleware);
  void add_event_middleware(EventMiddleware middleware);
  HandlerId add(std::string_view event, EventHandler handler, bool once);
  HandlerId add_error(ErrorHandler handler);
  std::unique_ptr<Table> table_;
};

// What other nodes answer: one value of each; with an error, of those that did in time.
struct Answers {
  std::string error;
  Args answers;
};

class Namespace final : public Handlers, public Audience<Namespace> {
 public:
  ~Namespace();
  std::string_view name() const;  // with its slash
  Server& server() const;         // while both live

  // This node's.
  std::size_t size() const;
  Socket* find(std::string_view id) const;
  void for_each(const std::function<void(Socket&)>& visit);
  std::size_t rooms() const;  // those named after sockets not counted
  std::vector<std::string> room_names() const;

  // Nodes that serve this namespace, this one included, as its adapter knows them.
  void server_count(std::function<void(std::size_t)> done);

  // To the other nodes' handlers of the same namespace; `done` (may be empty) has one answer of each. Throws
  // std::invalid_argument for `connect`, `connection`, `new_namespace`, and for `error`, which would end
  // Node.js nodes.
  using OnAnswers = std::function<void(std::string_view error, const Args& answers)>;
  void server_side_emit(std::string_view event, const Args& args, OnAnswers done = {});
  Pending<Answers> server_side_emit_with_ack(std::string_view event, Args args);
  using ServerHandler = std::function<void(const Args&, const std::function<void(const Args&)>& reply)>;
  void on_server_event(std::string_view event, ServerHandler handler);

  Namespace& sockets() { return *this; }

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  friend struct Impl;
  friend void intrusive_ptr_add_ref(Namespace* nsp);
  friend void intrusive_ptr_release(Namespace* nsp);
  explicit Namespace(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The parent of namespaces that are made when a client first asks for one.
class DynamicNamespace final : public Handlers {
 public:
  struct Impl;
  explicit DynamicNamespace(std::unique_ptr<Impl> impl);
  ~DynamicNamespace();
  // To all children's sockets.
  template <class... T>
  void emit(std::string_view event, T&&... args) {
    send(event, Args::of(std::forward<T>(args)...));
  }

  Impl& impl() { return *impl_; }

 private:
  void send(std::string_view event, const Args& args);
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::socketio
