#include "proxy/wire/ws_frame.h"

#include <bit>
#include <cstring>

namespace limpet::wire {
namespace {

std::uint64_t big_endian(const char* at, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<std::uint8_t>(at[i]);
  return value;
}

char* put_big_endian(char* out, std::uint64_t value, int bytes) {
  for (int i = bytes; i-- > 0;) *out++ = static_cast<char>(value >> (8 * i));
  return out;
}

char* put_head(char* out, std::uint8_t first, std::uint64_t length, std::uint8_t mask_bit) {
  *out++ = static_cast<char>(first);
  if (length < 126) {
    *out++ = static_cast<char>(mask_bit | length);
    return out;
  }
  const bool small = length <= 0xffff;
  *out++ = static_cast<char>(mask_bit | (small ? 126 : 127));
  return put_big_endian(out, length, small ? 2 : 8);
}

bool reserved(std::uint8_t opcode) {
  return (opcode > 2 && opcode < 8) || opcode > 10;
}

}  // namespace

HeadResult read_frame_head(std::string_view bytes, FrameHead& head) {
  if (bytes.size() < 2) return {HeadStep::more, 2};
  const auto first = static_cast<std::uint8_t>(bytes[0]), second = static_cast<std::uint8_t>(bytes[1]);
  const std::uint8_t opcode = first & 0x0f, brief = second & 0x7f;
  head.opcode = static_cast<Opcode>(opcode);
  head.fin = (first & kFin) != 0;
  head.rsv = first & (kRsv1 | kRsv2 | kRsv3);
  head.masked = (second & 0x80) != 0;
  if (reserved(opcode) || (opcode >= 8 && (!head.fin || brief > kMostControlBody)))
    return {HeadStep::refused, 2};
  const int extended = brief == 126 ? 2 : brief == 127 ? 8 : 0;
  const auto size = static_cast<std::uint8_t>(2 + extended + (head.masked ? 4 : 0));
  if (bytes.size() < size) return {HeadStep::more, size};
  head.length = extended == 0 ? brief : big_endian(bytes.data() + 2, extended);
  const bool longer_than_needed =
      (extended == 2 && head.length < 126) || (extended == 8 && head.length <= 0xffff);
  if (longer_than_needed || head.length >> 63 != 0) return {HeadStep::refused, size};
  if (head.masked) std::memcpy(&head.key, bytes.data() + size - 4, 4);
  return {HeadStep::whole, size};
}

std::size_t write_frame_head(char* out, std::uint8_t first, std::uint64_t length) {
  return static_cast<std::size_t>(put_head(out, first, length, 0) - out);
}

std::size_t write_frame_head(char* out, std::uint8_t first, std::uint64_t length, std::uint32_t key) {
  char* const end = put_head(out, first, length, 0x80);
  std::memcpy(end, &key, 4);
  return static_cast<std::size_t>(end + 4 - out);
}

void unmask(std::span<char> bytes, std::uint32_t key, std::uint64_t offset) {
  const int turn = static_cast<int>(offset & 3) * 8;
  key = std::endian::native == std::endian::little ? std::rotr(key, turn) : std::rotl(key, turn);
  const std::uint64_t wide = static_cast<std::uint64_t>(key) << 32 | key;
  char* at = bytes.data();
  std::size_t left = bytes.size();
  const auto word = [wide](char* place) {
    std::uint64_t value;
    std::memcpy(&value, place, 8);
    value ^= wide;
    std::memcpy(place, &value, 8);
  };
  for (; left >= 32; left -= 32, at += 32) word(at), word(at + 8), word(at + 16), word(at + 24);
  for (; left >= 8; left -= 8, at += 8) word(at);
  char pattern[8];
  std::memcpy(pattern, &wide, 8);
  for (std::size_t i = 0; i < left; ++i) at[i] ^= pattern[i];
}

// --- UTF-8 ---

bool Utf8::step(std::uint8_t byte) {
  if (missing_ > 0) {
    if (byte < low_ || byte > high_) return false;
    low_ = 0x80, high_ = 0xbf;
    --missing_;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xc2 || byte > 0xf4) return false;
  missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  if (byte == 0xe0) low_ = 0xa0;   // shorter forms exist
  if (byte == 0xed) high_ = 0x9f;  // surrogates
  if (byte == 0xf0) low_ = 0x90;
  if (byte == 0xf4) high_ = 0x8f;  // above U+10FFFF
  return true;
}

bool Utf8::take(std::string_view piece) {
  const char* at = piece.data();
  const char* const end = at + piece.size();
  while (at != end) {
    while (missing_ == 0 && end - at >= 16) {  // ASCII
      std::uint64_t words[2];
      std::memcpy(words, at, 16);
      if (((words[0] | words[1]) & 0x8080808080808080) != 0) break;
      at += 16;
    }
    for (const char* const stop = end - at > 16 ? at + 16 : end; at != stop; ++at) {
      if (!step(static_cast<std::uint8_t>(*at))) return false;
    }
  }
  return true;
}

}  // namespace limpet::wire
