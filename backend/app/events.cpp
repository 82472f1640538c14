#include "backend/app/events.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/app/identity.h"
#include "backend/socketio/packet.h"

namespace limpet::app {
namespace {

namespace json = boost::json;
using socketio::Ack;
using socketio::Args;
using socketio::Socket;

constexpr std::size_t kMostEventName = 128;

void refuse(const Ack& ack, std::string_view why) {
  ack(json::object{{"error", why}});
}

// The room that the first argument names, or nothing: then the ack has been told.
std::optional<std::string_view> room_of(const Args& args, const Ack& ack) {
  if (!args[0].is_string()) {
    refuse(ack, "a room is to be a text");
    return std::nullopt;
  }
  const std::string_view room = args[0].get_string();
  if (const auto why = refuse_room(room)) {
    refuse(ack, *why);
    return std::nullopt;
  }
  return room;
}

// One argument of several, with the bytes that belong to it.
Args one_of(const Args& args, std::size_t i) {
  if (args.binaries().empty()) return Args::of(args[i]);
  return Args(json::array{args[i]}, args.binaries());
}

void echo(const Args& args, const Ack& ack) {
  args.size() == 1 ? ack(args) : ack(one_of(args, 0));
}

void join(Socket& socket, const Args& args, const Ack& ack) {
  const auto room = room_of(args, ack);
  if (!room) return;
  socket.join(*room) ? ack() : refuse(ack, "too many rooms");
}

void leave(Socket& socket, const Args& args, const Ack& ack) {
  const auto room = room_of(args, ack);
  if (!room) return;
  socket.leave(*room);
  ack();
}

void broadcast(Socket& socket, const Args& args, const Ack& ack) {
  const auto room = room_of(args, ack);
  if (!room) return;
  socket.nsp().to(*room).emit("message", one_of(args, 1));
  ack();
}

void tell_user(Socket& socket, const Args& args, const Ack& ack) {
  const auto user = user_id(args[0]);
  if (!user) return refuse(ack, "a user's id is to be a text of 1 to 128 bytes");
  const json::value& event = args[1];
  const std::string_view name = event.is_string() ? std::string_view(event.get_string()) : std::string_view();
  if (name.empty() || name.size() > kMostEventName || socketio::is_reserved(name)) {
    return refuse(ack, "an event's name is to be a text of 1 to 128 bytes, and none of Socket.IO's own");
  }
  socket.nsp().to_user(*user).emit(name, one_of(args, 2));
  ack();
}

// Who comes back to a session is to be who has left it.
bool is_anothers(const Socket& socket, std::string_view user_room) {
  if (!socket.recovered()) return false;
  const std::vector<std::string> rooms = socket.rooms();
  return std::any_of(rooms.begin(), rooms.end(), [&](const std::string& room) {
    return room.starts_with(kUserRooms) && room != user_room;
  });
}

// A token's time may be longer than any timer's; who is there after a year has its connection renewed too.
std::uint64_t ms_until(double date) {
  constexpr double kYearMs = 366.0 * 24 * 3600 * 1000;
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
  return static_cast<std::uint64_t>(std::clamp((date - now.count()) * 1000, 0.0, kYearMs));
}

std::optional<socketio::Refusal> admit(Socket& socket, const TokenVerifier* tokens) {
  auto verdict = identify(socket.auth(), tokens, std::time(nullptr));
  if (const auto* no = std::get_if<NotAdmitted>(&verdict)) {
    return socketio::Refusal{no->message, json::object{{"code", no->code}}};
  }
  const auto& [user, expires] = std::get<Identity>(verdict);
  const std::string room = socketio::user_room(user);
  if (is_anothers(socket, room)) {
    return socketio::Refusal{"unauthorized: this session is another user's",
                             json::object{{"code", "user_changed"}}};
  }
  if (!user.empty()) socket.join(room);
  if (expires) socket.close_after(ms_until(*expires));
  return std::nullopt;
}

// Whose rooms it is in: for one that has recovered its session nobody has asked again.
void note_presence(presence::Presence& presence, const Socket& socket) {
  for (const std::string& room : socket.rooms()) {
    if (!room.starts_with(kUserRooms)) continue;
    return presence.connected(std::string_view(room).substr(kUserRooms.size()), socket.id());
  }
}

}  // namespace

void serve_events(socketio::Namespace& nsp, std::string node_id, std::shared_ptr<const TokenVerifier> tokens,
                  presence::Presence* presence) {
  nsp.use([tokens = std::move(tokens)](Socket& socket) { return admit(socket, tokens.get()); });
  nsp.on("echo", echo);
  nsp.on("who", [id = std::move(node_id)](const Args&, const Ack& ack) { ack(id); });
  nsp.on("join", join);
  nsp.on("leave", leave);
  nsp.on("broadcast", broadcast);
  nsp.on("user", tell_user);
  if (presence == nullptr) return;
  nsp.on_connection([presence](Socket& socket) { note_presence(*presence, socket); });
  nsp.on_disconnect([presence](Socket& socket, std::string_view) { presence->disconnected(socket.id()); });
}

}  // namespace limpet::app
