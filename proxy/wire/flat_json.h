// FlatJson: walks the members of one JSON object, enough for an Engine.IO open packet or error answer.
//
// No tree, no allocation. Nested values are passed over, strings are given as they stand (escapes not undone:
// none of the texts that are looked for holds one). What is malformed ends the walk with complete() false.
// Internal to proxy/wire.
#pragma once

#include <cstdint>
#include <string_view>

namespace limpet::wire {

class FlatJson {
 public:
  enum class Kind : std::uint8_t { string, number, other };
  struct Member {
    std::string_view key;
    std::string_view text;  // of a string
    double number = 0;
    Kind kind = Kind::other;
  };

  explicit FlatJson(std::string_view text) : rest_(text) {}
  bool next(Member& member);
  bool complete() const { return at_ == At::end; }  // the closing brace was seen

 private:
  enum class At : std::uint8_t { start, inside, end, broken };
  bool stop(At at);
  char peek();
  bool take(char c);
  bool string(std::string_view& out);
  bool value(Member& member);
  bool nested();

  std::string_view rest_;
  At at_ = At::start;
};

}  // namespace limpet::wire
