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

  // Asked in order before a socket joins; the first refusal ends it. See middleware() for what `f` may look
  // like.
  template <class F>
  void use(F f) {
    add_middleware(middleware(std::move(f)));
  }
  void on_connection(ConnectHandler handler);  // its CONNECT is answered before what this emits
  // See handlers.h for what `f` may look like.
  template <class F>
  void on(std::string_view event, F f) {
    add(event, event_handler(std::move(f)));
  }
  void on_any(AnyHandler handler);              // every event, before its own handlers
  void on_disconnecting(LeaveHandler handler);  // rooms are still there
  void on_disconnect(LeaveHandler handler);
  void on_error(LeaveHandler handler);  // the client sent what cannot be read; its connection ends

  struct Table;
  Table& table() { return *table_; }

 protected:
  void add_middleware(Middleware middleware);
  void add(std::string_view event, EventHandler handler);
  std::unique_ptr<Table> table_;
};

class Namespace final : public Handlers {
 public:
  ~Namespace();
  std::string_view name() const;  // with its slash
  Server& server() const;         // while both live

  Broadcast to(std::string_view room) { return Broadcast(*this).to(room); }
  Broadcast in(std::string_view room) { return Broadcast(*this).to(room); }
  Broadcast except(std::string_view room) { return Broadcast(*this).except(room); }
  Broadcast local() { return Broadcast(*this).local(); }
  Broadcast volatile_() { return Broadcast(*this).volatile_(); }
  Broadcast timeout(std::uint64_t ms) { return Broadcast(*this).timeout(ms); }
  template <class... T>
  void emit(std::string_view event, T&&... args) {
    Broadcast(*this).emit(event, std::forward<T>(args)...);
  }
  void fetch_sockets(OnFound done) { Broadcast(*this).fetch_sockets(std::move(done)); }
  void sockets_join(const std::vector<std::string>& rooms) { Broadcast(*this).sockets_join(rooms); }
  void sockets_leave(const std::vector<std::string>& rooms) { Broadcast(*this).sockets_leave(rooms); }
  void disconnect_sockets(bool close = false) { Broadcast(*this).disconnect_sockets(close); }

  // This node's.
  std::size_t size() const;
  Socket* find(std::string_view id) const;
  void for_each(const std::function<void(Socket&)>& visit);
  std::size_t rooms() const;  // those named after sockets not counted
  std::vector<std::string> room_names() const;

  // To the other nodes' handlers of the same namespace; `done` (may be empty) has one answer of each.
  using OnAnswers = std::function<void(std::string_view error, const Args& answers)>;
  void server_side_emit(std::string_view event, const Args& args, OnAnswers done = {});
  using ServerHandler = std::function<void(const Args&, const std::function<void(const Args&)>& reply)>;
  void on_server_event(std::string_view event, ServerHandler handler);

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
