// Identity: who a client is, from what it gave to CONNECT, and which rooms it may name.
//
// With a key a token (`auth.token`) says it, and who has none is refused; without one `auth.userId` is
// believed as it stands, which is for development. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "backend/app/token.h"
#include "backend/socketio/broadcast.h"

namespace limpet::app {

struct Identity {
  std::string user;                    // empty: nobody in particular (only without a key)
  std::optional<double> expires = {};  // when its token does, in seconds since 1970
};

struct NotAdmitted {
  std::string message;  // of connect_error
  std::string code;     // its data's
};

std::variant<Identity, NotAdmitted> identify(const boost::json::object& auth, const TokenVerifier* verifier,
                                             std::int64_t now_s);

// A text of 1 to 128 bytes without control characters, or an integer.
std::optional<std::string> user_id(const boost::json::value& value);

using socketio::kUserRooms;  // a user's sockets are in the room of this and its id

// Why a client may not join, leave or address this room; nothing if it may. Rooms of users and of single
// sockets are not for clients: whoever were in one would read what is meant for another.
std::optional<std::string_view> refuse_room(std::string_view room);
// As Socket.IO makes ids: 20 characters of base64url; before them "/chat#" for a client of Socket.IO 2.
bool looks_like_socket_id(std::string_view room);

}  // namespace limpet::app
