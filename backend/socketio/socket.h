// Socket: one client in one namespace.
//
// Made by the server, counted by SocketPtr, on the loop's thread. A reference that a handler is given is good
// until the handler returns, and as long as the socket is connected; whoever needs it longer keeps a
// SocketPtr. Of a socket that has disconnected everything still works and does nothing. An idle one is small:
// handlers that all sockets of a namespace share belong on the Namespace.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/adapter/rooms.h"
#include "backend/engine/server.h"
#include "backend/socketio/broadcast.h"
#include "backend/socketio/handlers.h"

namespace limpet::socketio {

class Client;
class EventTable;
class Namespace;
class Server;
struct Round;

class Socket final : public adapter::Member {
 public:
  std::string_view id() const;  // 20 characters; a Socket.IO 2.x client's is made of its Engine.IO sid
  Namespace& nsp() const { return *nsp_; }
  Server& server() const;
  bool connected() const;
  bool recovered() const;              // a session was restored
  std::string_view transport() const;  // now: "polling", "websocket"; empty: it has gone
  int revision() const;                // of Engine.IO: 4, or 3 for a Socket.IO 2.x client
  // What the client's first request said (empty once it has gone), and what it gave to this namespace: an
  // object.
  const engine::Handshake& handshake() const;
  const boost::json::object& auth() const;
  // The program's own: an object at first. Where sessions are saved early, what is written to it within 300
  // ms of this call is saved; whoever only reads asks a const Socket, and saves nothing.
  boost::json::value& data();
  const boost::json::value& data() const;

  // A name is any text; a socket is in a room named after its id. False: too many rooms (Limits), or
  // disconnected.
  bool join(std::string_view room);
  void leave(std::string_view room);
  bool in_room(std::string_view room) const;
  std::vector<std::string> rooms() const;

  // To this client. Throws std::invalid_argument for a reserved name (`connect`, `disconnect`, ...) or too
  // many attachments. Never blocks: what a slow client does not take is queued, to a bound at which it is
  // disconnected.
  template <class... T>
  void emit(std::string_view event, T&&... args) {
    send(event, Args::of(std::forward<T>(args)...), false);
  }
  void emit(std::string_view event, const Args& args) { send(event, args, false); }
  void emit(std::string_view event, Args& args) { send(event, args, false); }
  void emit(std::string_view event, Args&& args) { send(event, args, false); }
  // Dropped if the client cannot take it right now.
  template <class... T>
  void emit_volatile(std::string_view event, T&&... args) {
    send(event, Args::of(std::forward<T>(args)...), true);
  }
  void emit_volatile(std::string_view event, const Args& args) { send(event, args, true); }
  // Asks for an answer. timeout_ms 0: until it disconnects.
  void emit_with_ack(std::string_view event, const Args& args, std::uint64_t timeout_ms, OnReply done);
  Pending<Reply> emit_with_ack(std::string_view event, Args args, std::uint64_t timeout_ms = 0);

  // To others of the namespace. This socket is left out by its own room: once it has left that one, it hears
  // what it tells its other rooms, as in Socket.IO.
  Broadcast to(RoomList rooms) const { return broadcast().to(std::move(rooms)); }
  Broadcast in(RoomList rooms) const { return broadcast().to(std::move(rooms)); }
  Broadcast except(RoomList rooms) const { return broadcast().except(std::move(rooms)); }
  Broadcast broadcast() const;

  // Leaves the namespace; `close`: ends the client's connection, and with it all its sockets.
  void disconnect(bool close = false);
  // Ends the client's connection then, unless this socket has gone before (a later call replaces an earlier
  // one). Unlike after disconnect(), official clients connect again, with what their `auth` says by then.
  void close_after(std::uint64_t ms);

  // Handlers of this socket alone, called after the namespace's. See handlers.h for what `f` may look like.
  template <class F>
  HandlerId on(std::string_view event, F f) {
    return add(event, event_handler(std::move(f)), false);
  }
  template <class F>
  HandlerId once(std::string_view event, F f) {
    return add(event, event_handler(std::move(f)), true);
  }
  void off(std::string_view event);      // all of them
  void off(HandlerId handler);           // whatever it was registered for
  HandlerId on_any(AnyHandler handler);  // every event, before middlewares and its own handlers
  void off_any();
  // Every event that is sent to it, broadcasts too, before it is: also those that it may miss as volatile.
  // With recovery a packet's offset is the last argument. What a socket has missed is not told again.
  HandlerId on_any_outgoing(AnyHandler handler);
  void off_any_outgoing();
  HandlerId on_disconnecting(LeaveHandler handler);  // its rooms are still there
  HandlerId on_disconnect(LeaveHandler handler);     // once; nothing comes after it
  // What the client sent cannot be read (its connection ends), or a middleware has refused an event. For
  // f(socket, refusal) or f(socket, message).
  template <class F>
  HandlerId on_error(F f) {
    return add_error(error_handler(std::move(f)));
  }
  // Asked of each event that the client sends, in order, after the namespace's.
  template <class F>
  void use(F f) {
    add_middleware(event_middleware(std::move(f)));
  }

  struct Extras;

 private:
  friend class Ack;
  friend class Client;
  friend class EarlySaves;
  friend class Namespace;
  friend struct Round;
  friend void intrusive_ptr_add_ref(Socket* socket) { ++socket->count_; }
  friend void intrusive_ptr_release(Socket* socket);

  Socket(Namespace& nsp, Client& client);
  ~Socket();
  void send(std::string_view event, const Args& args, bool may_drop);
  void send_written(bool may_drop);  // by the server's writer
  HandlerId add(std::string_view event, EventHandler handler, bool once);
  HandlerId add_error(ErrorHandler handler);
  void add_middleware(EventMiddleware middleware);
  Extras& extras();
  adapter::Session session();  // as it is saved
  EventTable& events();
  template <class Call>
  void each_table(Call&& call);  // its namespace's parent's, its namespace's, its own
  void enter();

  // What its client says, on its way to handlers (dispatch.cpp).
  struct Passage;
  void dispatch(std::string_view event, const Args& args, std::optional<std::uint64_t> id);
  void deliver(std::string_view event, const Args& args, const Ack& ack);
  void tell_outgoing(std::string_view event, const Args& args);
  void watch_outgoing();
  void tell_error(const Refusal& refusal);
  void answered(std::uint64_t id, const Args& args);  // by the client
  void answer(std::uint64_t id, const Args& args);    // to the client
  void changed();                                     // its rooms or data: see EarlySaves
  void on_close_timer();
  void leave_namespace(std::string_view reason);  // its handlers are told, the client is not
  void end_superseded();                          // its session is another socket's now
  void detach();

  enum class State : std::uint8_t { joining, connected, leaving, gone };
  Namespace* nsp_;  // counted
  Client* client_;  // null once it has gone
  std::unique_ptr<Extras> extras_;
  std::uint32_t count_ = 0;
  State state_ = State::joining;
  bool recovered_ = false;
  bool superseded_ = false;  // a socket that has recovered its session has its id
  bool unsaved_ = false;     // changed since it was saved; it is in EarlySaves' list
};

using SocketPtr = boost::intrusive_ptr<Socket>;

}  // namespace limpet::socketio
