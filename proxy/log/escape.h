// Escaping: bytes that clients made, so that they can neither end a line nor pass for another field.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace limpet::log {

// In every style characters stay as they are if they are valid UTF-8 and show on a screen as something of
// their own, '\\' doubled. All other bytes (controls, spaces that are not ' ', marks of direction, what is
// not UTF-8) are escaped one by one.
enum class Style : unsigned char {
  message,  // \n, \r, \t, else \xNN
  bare,     // without quotes, or one word of several between them: \xNN, also for ' '; \"
  quoted,   // between quotes: \xNN; \"
  json,     // in a JSON string: \u00NN; \"
};

// How many bytes of `text` from `at` are one character that stays as it is; 0 if none.
std::size_t shown_length(std::string_view text, std::size_t at);

// Writes at most `room` bytes to `out`, never a part of an escape or of a character; what was cut off ends in
// "...". Returns how many.
std::size_t escape(std::string_view text, Style style, char* out, std::size_t room);
std::string escaped(std::string_view text, Style style, std::size_t most);

}  // namespace limpet::log
