#include "proxy/log/escape.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace limpet::log {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr std::string_view kCut = "...";
constexpr std::size_t kLongestEscape = 6;

constexpr std::uint8_t bit(Style style) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(style));
}

// Which styles take an ASCII byte as it is.
constexpr std::array<std::uint8_t, 256> kPlain = [] {
  std::array<std::uint8_t, 256> table{};
  constexpr std::uint8_t all = bit(Style::message) | bit(Style::bare) | bit(Style::quoted) | bit(Style::json);
  for (std::size_t byte = 0x20; byte < 0x7f; ++byte) table[byte] = all;
  table[' '] = all & ~bit(Style::bare);
  table['"'] = bit(Style::message);
  table['\\'] = 0;
  return table;
}();

struct Range {
  char32_t first, last;
};
// C1 controls; spaces; joiners and marks of direction, which make a line look like another one.
constexpr Range kHidden[] = {{0x80, 0xa0},     {0xad, 0xad},     {0x61c, 0x61c},   {0x1680, 0x1680},
                             {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},
                             {0x3000, 0x3000}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

std::size_t escape_byte(unsigned char byte, Style style, char* out) {
  const auto pair = [out](char second) {
    out[0] = '\\';
    out[1] = second;
    return std::size_t{2};
  };
  if (byte == '\\' || byte == '"') return pair(static_cast<char>(byte));
  if (style == Style::message) {
    if (byte == '\n') return pair('n');
    if (byte == '\r') return pair('r');
    if (byte == '\t') return pair('t');
  }
  const std::string_view lead = style == Style::json ? "\\u00" : "\\x";
  lead.copy(out, lead.size());
  out[lead.size()] = kHex[byte >> 4];
  out[lead.size() + 1] = kHex[byte & 15];
  return lead.size() + 2;
}

// `used` is how much of `text` the bytes written stand for.
std::size_t fill(std::string_view text, Style style, char* out, std::size_t room, std::size_t& used) {
  std::size_t written = 0;
  used = 0;
  while (used < text.size() && written < room) {
    const std::size_t most = used + std::min(text.size() - used, room - written);
    std::size_t plain = used;
    while (plain < most && (kPlain[static_cast<unsigned char>(text[plain])] & bit(style)) != 0) ++plain;
    std::memcpy(out + written, text.data() + used, plain - used);
    written += plain - used;
    used = plain;
    if (plain == most) continue;

    char piece[kLongestEscape];
    const auto byte = static_cast<unsigned char>(text[used]);
    std::size_t taken = byte < 0x80 ? 0 : shown_length(text, used), size = taken;
    if (taken > 0) {
      std::memcpy(piece, text.data() + used, taken);
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

}  // namespace

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t shown_length(std::string_view text, std::size_t at) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || length > text.size() - at) return 0;
  char32_t character = first & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
    character = character << 6 | (byte(at + i) & 0x3fu);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (character < kLeast[length] || character > 0x10ffff) return 0;
  if (character >= 0xd800 && character <= 0xdfff) return 0;
  for (const Range& each : kHidden) {
    if (character >= each.first && character <= each.last) return 0;
  }
  return length;
}

std::size_t escape(std::string_view text, Style style, char* out, std::size_t room) {
  std::size_t used = 0;
  const std::size_t written = fill(text, style, out, room, used);
  if (used == text.size() || room < kCut.size()) return written;
  const std::size_t kept = fill(text, style, out, room - kCut.size(), used);
  return kept + kCut.copy(out + kept, kCut.size());
}

std::string escaped(std::string_view text, Style style, std::size_t most) {
  std::string out(std::min(text.size() * kLongestEscape, most), '\0');
  out.resize(escape(text, style, out.data(), out.size()));
  return out;
}

}  // namespace limpet::log
