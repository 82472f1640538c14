#include "backend/app/identity.h"

#include <algorithm>
#include <utility>

namespace limpet::app {
namespace {

constexpr std::size_t kMostUser = TokenVerifier::kMostSubject;
constexpr std::size_t kMostRoom = 128;
constexpr std::size_t kSocketId = 20;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::variant<Identity, NotAdmitted> from_token(const boost::json::object& auth, const TokenVerifier& verifier,
                                               std::int64_t now_s) {
  const boost::json::value* token = auth.if_contains("token");
  if (token == nullptr || !token->is_string()) {
    return NotAdmitted{"unauthorized: a token is needed in auth.token", "token_missing"};
  }
  auto verdict = verifier.verify(std::string_view(token->get_string()), now_s);
  if (const auto* fault = std::get_if<TokenFault>(&verdict)) {
    return NotAdmitted{"unauthorized: " + std::string(text_of(*fault)), std::string(code_of(*fault))};
  }
  Claims& claims = std::get<Claims>(verdict);
  return Identity{std::move(claims.subject), claims.expires};
}

std::variant<Identity, NotAdmitted> as_it_says(const boost::json::object& auth) {
  const boost::json::value* user = auth.if_contains("userId");
  if (user == nullptr || user->is_null()) return Identity{};
  auto id = user_id(*user);
  if (!id) return NotAdmitted{"auth.userId is to be a text of 1 to 128 bytes", "user_id"};
  return Identity{std::move(*id)};
}

}  // namespace

std::variant<Identity, NotAdmitted> identify(const boost::json::object& auth, const TokenVerifier* verifier,
                                             std::int64_t now_s) {
  return verifier != nullptr ? from_token(auth, *verifier, now_s) : as_it_says(auth);
}

std::optional<std::string> user_id(const boost::json::value& value) {
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = value.get_string();
  if (text.empty() || text.size() > kMostUser || has_control(text)) return std::nullopt;
  return std::string(text);
}

std::optional<std::string_view> refuse_room(std::string_view room) {
  if (room.empty() || room.size() > kMostRoom) return "a room's name has 1 to 128 bytes";
  if (room.starts_with(kUserRooms)) return "rooms of users are not for clients";
  if (looks_like_socket_id(room)) return "rooms of single sockets are not for clients";
  return std::nullopt;
}

// By its form alone: who is away for a while (recovery) comes back to its room, too.
bool looks_like_socket_id(std::string_view room) {
  if (const std::size_t hash = room.rfind('#'); hash != std::string_view::npos) room.remove_prefix(hash + 1);
  return room.size() == kSocketId && std::all_of(room.begin(), room.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_';
         });
}

}  // namespace limpet::app
