// Json: the few values that a report holds, as text.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

namespace limpet::bench {

inline std::string json(double value, int decimals = 3) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals).ptr;
  std::string_view shown(text, static_cast<std::size_t>(end - text));
  if (shown.find('.') != shown.npos) {
    while (shown.back() == '0') shown.remove_suffix(1);
    if (shown.back() == '.') shown.remove_suffix(1);
  }
  return std::string(shown);
}

inline std::string json(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20) {
      quoted += std::string("\\u00") + kDigits[byte >> 4] + kDigits[byte & 15];
    } else {
      if (byte == '"' || byte == '\\') quoted += '\\';
      quoted += byte;
    }
  }
  return quoted + '"';
}

}  // namespace limpet::bench
