#include "backend/codec/base64.h"

#include <array>
#include <cstdint>

namespace limpet::codec {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 64;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  table['-'] = 62;
  table['_'] = 63;
  return table;
}();

std::uint32_t byte(char c) {
  return static_cast<std::uint8_t>(c);
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  std::size_t at = out.size();
  out.resize(at + base64_size(bytes.size()));
  const auto put = [&](std::uint32_t group, int digits) {
    for (int i = 0; i < digits; ++i) out[at++] = kAlphabet[(group >> (18 - 6 * i)) & 63];
  };
  while (bytes.size() >= 3) {
    put(byte(bytes[0]) << 16 | byte(bytes[1]) << 8 | byte(bytes[2]), 4);
    bytes.remove_prefix(3);
  }
  if (bytes.empty()) return;
  put(byte(bytes[0]) << 16 | (bytes.size() == 2 ? byte(bytes[1]) << 8 : 0), bytes.size() == 2 ? 3 : 2);
  while (at < out.size()) out[at++] = '=';
}

void decode_base64(std::string_view text, std::string& out) {
  out.resize(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == '=') break;
    const std::uint8_t value = kValues[static_cast<std::uint8_t>(c)];
    if (value == kNone) continue;
    bits = bits << 6 | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out[size++] = static_cast<char>(bits >> held);
  }
  out.resize(size);
}

}  // namespace limpet::codec
