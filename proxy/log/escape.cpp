#include "proxy/log/escape.h"

#include <cstring>

namespace limpet::log {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

std::size_t escape_byte(unsigned char byte, Style style, char* out) {
  if (style == Style::json) {
    std::memcpy(out, "\\u00", 4);
    out[4] = kHex[byte >> 4];
    out[5] = kHex[byte & 15];
    return 6;
  }
  out[0] = '\\';
  out[1] = 'x';
  out[2] = kHex[byte >> 4];
  out[3] = kHex[byte & 15];
  return 4;
}

}  // namespace

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. C1 controls do not count as characters.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const auto second = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0u;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) {
    if (first == 0xc2 && second < 0xa0) return 0;
    return continues(text, at + 1) ? 2 : 0;
  }
  if ((first & 0xf0) == 0xe0) {
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0)) return 0;
    if (first == 0xe2 && second == 0x80 && at + 2 < text.size()) {  // line and paragraph separators
      const auto third = static_cast<unsigned char>(text[at + 2]);
      if (third == 0xa8 || third == 0xa9) return 0;
    }
    return continues(text, at + 1) && continues(text, at + 2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90)) return 0;
    return continues(text, at + 1) && continues(text, at + 2) && continues(text, at + 3) ? 4 : 0;
  }
  return 0;
}

std::size_t escape(std::string_view text, Style style, char* out, std::size_t room, std::size_t& used) {
  std::size_t written = 0;
  used = 0;
  while (used < text.size()) {
    const auto byte = static_cast<unsigned char>(text[used]);
    char piece[8];
    std::size_t size = 0, taken = 1;
    if (byte == '\\' || (byte == '"' && style != Style::text)) {
      piece[0] = '\\';
      piece[1] = static_cast<char>(byte);
      size = 2;
    } else if (byte >= 0x20 && byte < 0x7f) {
      piece[0] = static_cast<char>(byte);
      size = 1;
    } else if (byte >= 0x80 && (taken = utf8_length(text, used)) > 0) {
      std::memcpy(piece, text.data() + used, taken);
      size = taken;
    } else {
      taken = 1;
      size = escape_byte(byte, style, piece);
    }
    if (written + size > room) break;
    std::memcpy(out + written, piece, size);
    written += size;
    used += taken;
  }
  return written;
}

std::string escaped(std::string_view text, Style style) {
  std::string out(text.size() * 6, '\0');
  std::size_t used = 0;
  out.resize(escape(text, style, out.data(), out.size(), used));
  return out;
}

}  // namespace limpet::log
