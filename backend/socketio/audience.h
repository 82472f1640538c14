// Audience: what may be told, found or moved through a Namespace, or through a Server for its "/": everyone
// there, or those whom to(), in() and except() choose.
//
// A base without data; Self has `Namespace& sockets()`.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "backend/socketio/broadcast.h"

namespace limpet::socketio {

template <class Self>
class Audience {
 public:
  Broadcast to(RoomList rooms) { return everyone().to(std::move(rooms)); }
  Broadcast in(RoomList rooms) { return everyone().to(std::move(rooms)); }
  Broadcast to_user(std::string_view user) { return everyone().to_user(user); }
  Broadcast except(RoomList rooms) { return everyone().except(std::move(rooms)); }
  Broadcast local() { return everyone().local(); }
  Broadcast volatile_() { return everyone().volatile_(); }
  Broadcast compress(bool on) { return everyone().compress(on); }
  Broadcast timeout(std::uint64_t ms) { return everyone().timeout(ms); }

  template <class... T>
  void emit(std::string_view event, T&&... args) {
    everyone().emit(event, std::forward<T>(args)...);
  }
  void emit_with_ack(std::string_view event, const Args& args, OnReplies done) {
    everyone().emit_with_ack(event, args, std::move(done));
  }
  Pending<Replies> emit_with_ack(std::string_view event, Args args) {
    return everyone().emit_with_ack(event, std::move(args));
  }
  void fetch_sockets(OnFound done) { everyone().fetch_sockets(std::move(done)); }
  Pending<Found> fetch_sockets() { return everyone().fetch_sockets(); }
  void sockets_join(const RoomList& rooms) { everyone().sockets_join(rooms); }
  void sockets_leave(const RoomList& rooms) { everyone().sockets_leave(rooms); }
  void disconnect_sockets(bool close = false) { everyone().disconnect_sockets(close); }

 private:
  friend Self;
  Audience() = default;
  Broadcast everyone() { return Broadcast(static_cast<Self*>(this)->sockets()); }
};

}  // namespace limpet::socketio
