// Broadcast: whom to tell, put together step by step, then told. A value; cheap to pass, meant to be used at
// once.
//
//   socket.to("room").except("muted").emit("message", text);      // everyone in the room but the sender
//   nsp.in("a").in("b").local().disconnect_sockets();             // the union of both, on this node
//   nsp.to({"a", "b"}).sockets_join("c");
//   nsp.to("room").timeout(1'000).emit_with_ack("vote", {}, [](const Replies& r) { ... });
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/socketio/ack.h"
#include "backend/socketio/task.h"

namespace limpet::socketio {

class Namespace;
using adapter::RemoteSocket;

struct Found {
  std::string_view error;  // empty, or what kept other nodes from answering
  std::vector<RemoteSocket> sockets;
};
using OnFound = std::function<void(const Found&)>;

// Rooms that a call names: one, a few in braces, or a vector. A RemoteSocket's id names it alone.
class RoomList {
 public:
  template <class Text>
  requires std::is_convertible_v<const Text&, std::string_view> RoomList(const Text& room)
      : names{std::string(std::string_view(room))} {}
  RoomList(std::initializer_list<std::string_view> rooms) : names(rooms.begin(), rooms.end()) {}
  RoomList(std::vector<std::string> rooms) : names(std::move(rooms)) {}
  std::vector<std::string> names;
};

// A user's sockets are in one room, on every node, Node.js ones too: whoever knows who a client is puts it
// there: socket.join(user_room(id)).
inline constexpr std::string_view kUserRooms = "user:";  // and the id
inline std::string user_room(std::string_view user) {
  return std::string(kUserRooms).append(user);
}

class Broadcast {
 public:
  explicit Broadcast(Namespace& nsp) : nsp_(&nsp) {}

  // Each gives a Broadcast of its own back, as Socket.IO's do.
  Broadcast to(RoomList rooms) const&;
  Broadcast to(RoomList rooms) &&;
  Broadcast in(RoomList rooms) const& { return to(std::move(rooms)); }
  Broadcast in(RoomList rooms) && { return std::move(*this).to(std::move(rooms)); }
  Broadcast to_user(std::string_view user) const { return to(user_room(user)); }
  Broadcast except(RoomList rooms) const&;
  Broadcast except(RoomList rooms) &&;
  Broadcast local() const& { return Broadcast(*this).local(); }  // this node alone
  Broadcast local() &&;
  Broadcast volatile_() const& { return Broadcast(*this).volatile_(); }  // who cannot take it now misses it
  Broadcast volatile_() &&;
  // For other nodes to know; here deflate is the connection's.
  Broadcast compress(bool on) const& { return Broadcast(*this).compress(on); }
  Broadcast compress(bool on) &&;
  Broadcast timeout(std::uint64_t ms) const& { return Broadcast(*this).timeout(ms); }
  Broadcast timeout(std::uint64_t ms) &&;

  // Throws std::invalid_argument for a reserved name (`connect`, `disconnect`, ...) or too many attachments.
  template <class... T>
  void emit(std::string_view event, T&&... args) const {
    send(event, Args::of(std::forward<T>(args)...));
  }
  void emit(std::string_view event, const Args& args) const { send(event, args); }
  void emit(std::string_view event, Args& args) const { send(event, args); }
  void emit(std::string_view event, Args&& args) const { send(event, args); }
  // Without timeout(): 10 s. (Socket.IO then fails at once.)
  void emit_with_ack(std::string_view event, const Args& args, OnReplies done) const;
  Pending<Replies> emit_with_ack(std::string_view event, Args args) const;

  void fetch_sockets(OnFound done) const;
  Pending<Found> fetch_sockets() const;
  void sockets_join(const RoomList& rooms) const;
  void sockets_leave(const RoomList& rooms) const;
  void disconnect_sockets(bool close = false) const;  // true: their connections too

 private:
  void send(std::string_view event, const Args& args) const;
  Namespace* nsp_;
  adapter::Target target_;
};

}  // namespace limpet::socketio
