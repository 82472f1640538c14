// Byte classes of HTTP/1.x, one table for all scanners of this folder (RFC 9110, 5.6; RFC 9112, 3 and 5).
// Internal to proxy/wire.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace limpet::wire {

enum ByteClass : std::uint8_t {
  kToken = 1,        // tchar
  kTarget = 2,       // visible ASCII but '#': a fragment never travels
  kValue = 4,        // HTAB, SP, visible, obs-text
  kDigit = 8,        //
  kHex = 16,         //
  kRegName = 32,     // of a host name; no comma: a list of hosts is refused; '%' is checked apart
  kSid = 64,         // of an Engine.IO session id
  kExtension = 128,  // of a chunk extension: no control byte at all
};

inline constexpr std::array<std::uint8_t, 256> kBytes = [] {
  std::array<std::uint8_t, 256> table{};
  const auto mark = [&table](std::string_view bytes, std::uint8_t classes) {
    for (const char c : bytes) table[static_cast<std::uint8_t>(c)] |= classes;
  };
  mark("0123456789", kToken | kDigit | kHex | kRegName | kSid);
  mark("abcdefABCDEF", kHex);
  mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kToken | kRegName | kSid);
  mark("-_", kSid);
  mark("!#$%&'*+-.^_`|~", kToken);
  mark("-._~!$&'()*+;=", kRegName);
  for (unsigned c = 0x20; c < 256; ++c) {
    if (c != 0x7f) table[c] |= kValue | kExtension;
    if (c > 0x20 && c < 0x7f && c != '#') table[c] |= kTarget;
  }
  table['\t'] |= kValue;
  return table;
}();

constexpr bool is(char c, ByteClass wanted) {
  return (kBytes[static_cast<std::uint8_t>(c)] & wanted) != 0;
}

// The first place in [from, to) whose byte is not of the class, else `to`.
inline std::size_t skip(std::string_view text, std::size_t from, std::size_t to, ByteClass wanted) {
  const char* at = text.data();
  while (from < to && is(at[from], wanted)) ++from;
  return from;
}
inline bool all(std::string_view text, ByteClass wanted) {
  return skip(text, 0, text.size(), wanted) == text.size();
}

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// The value of a hex digit, or -1.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

inline std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// Walks a list; elements are trimmed, empty ones skipped (RFC 9110, 5.6.1). Quoted strings are not known
// here: none of the lists that the proxy reads may hold a comma in one (of extensions: RFC 6455, 9.1).
class ListReader {
 public:
  explicit ListReader(std::string_view list, char separator = ',') : rest_(list), separator_(separator) {}
  bool next(std::string_view& element) {
    while (!rest_.empty()) {
      const std::size_t end = rest_.find(separator_);
      element = trim(rest_.substr(0, end));
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      if (!element.empty()) return true;
    }
    return false;
  }

 private:
  std::string_view rest_;
  char separator_;
};

}  // namespace limpet::wire
