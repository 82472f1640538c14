// Escaping: bytes that clients made, so that they can neither end a line nor pass for another field.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace limpet::log {

enum class Style : unsigned char {
  text,    // control bytes and what is not UTF-8 as \xNN; '\\' doubled
  quoted,  // and '"' as \"
  json,    // inside a JSON string: \u00NN
};

// How many bytes of `text` from `at` are one valid UTF-8 character; 0 if none.
std::size_t utf8_length(std::string_view text, std::size_t at);

// Writes at most `room` bytes to `out`, never a part of an escape or a character; returns how many. `used` is how
// much of `text` they stand for.
std::size_t escape(std::string_view text, Style style, char* out, std::size_t room, std::size_t& used);

std::string escaped(std::string_view text, Style style);

}  // namespace limpet::log
