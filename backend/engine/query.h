// Query: what a request's query says to Engine.IO. Of repeated keys the last counts; keys and values are
// decoded as forms are. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace limpet::engine {

struct Query {
  enum class Transport : std::uint8_t { unknown, polling, websocket };
  static constexpr std::size_t kSid = 20;         // characters of every sid
  static constexpr std::size_t kMostDigits = 16;  // of JSONP's index; more are cut off

  int revision = 3;  // 4 only if EIO is exactly that
  Transport transport = Transport::unknown;
  bool sid_given = false;  // and not empty
  bool base64 = false;     // b64: the client takes no binary
  bool jsonp = false;      // j, even an empty one
  std::uint8_t index_digits = 0;
  std::uint8_t sid_size = 0;  // kSid, or 0 for one that cannot be anybody's
  char sid_bytes[kSid];
  char index_bytes[kMostDigits];

  std::string_view sid() const { return {sid_bytes, sid_size}; }
  std::string_view index() const { return {index_bytes, index_digits}; }
};
Query parse_query(std::string_view query);

}  // namespace limpet::engine
