// How a command leaves: an array of texts, written straight into the buffer that goes to the socket.
// (hiredis' formatter makes a buffer of its own for each command, which would have to be copied and freed.)
#pragma once

#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace limpet::redis {

using Words = std::span<const std::string_view>;

inline void append_length(std::string& out, char kind, std::size_t length) {
  char text[24];
  text[0] = kind;
  char* end = std::to_chars(text + 1, text + sizeof(text) - 2, length).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text, static_cast<std::size_t>(end - text));
}

inline void append_command(std::string& out, Words words) {
  append_length(out, '*', words.size());
  for (const std::string_view each : words) {
    append_length(out, '$', each.size());
    out.append(each);
    out.append("\r\n", 2);
  }
}

// What append_command() adds, at most.
inline std::size_t command_size(Words words) {
  std::size_t size = 24;
  for (const std::string_view each : words) size += each.size() + 24;
  return size;
}

}  // namespace limpet::redis
