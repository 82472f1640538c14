// Reply: one answer of Redis (RESP2), as hiredis has read it. A view: good until the callback that is given
// it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

struct redisReply;

namespace limpet::redis {

class Reply {
 public:
  explicit Reply(const redisReply* raw = nullptr) : raw_(raw) {}  // null: nil

  bool is_nil() const;
  bool is_error() const;
  bool is_array() const;
  std::optional<std::int64_t> integer() const;  // of an integer, or of a text that is one
  std::string_view text() const;                // of a text, a status or an error; else empty
  std::size_t size() const;                     // of an array; else 0
  Reply operator[](std::size_t i) const;        // nil if there is none

 private:
  const redisReply* raw_;
};

// The error of a command whose answer was over Settings::max_reply_bytes: asking for less may work. Its link
// is made again.
inline constexpr std::string_view kTooLarge = "an answer that is too large";

// What a command has come to: Redis' answer, or why there is none.
struct Result {
  std::string_view error;  // empty if there is an answer that is no error; else its text ("ERR ...") or ours
  bool sent = true;        // false: Redis has certainly not seen it
  Reply reply;
  bool ok() const { return error.empty(); }
};

}  // namespace limpet::redis
