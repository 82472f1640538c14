// Handshake: the heads of HTTP/1.1 as far as the load tool has to understand them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace limpet::bench {

std::string websocket_accept(std::string_view key);  // what answers a Sec-WebSocket-Key

// The value of a header field, by its name in lower case; nothing if it is missing. `head` ends with an empty
// line.
std::string_view field(std::string_view head, std::string_view name);
bool has_token(std::string_view value, std::string_view token);  // "Keep-Alive, Upgrade" has "upgrade"
bool to_number(std::string_view text, std::uint64_t& number);

}  // namespace limpet::bench
