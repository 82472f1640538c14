#include "backend/engine/text.h"

#include <cstdint>

#include "proxy/wire/bytes.h"

namespace limpet::engine {
namespace {

using codec::kReplacement;
using codec::Utf8Front;

Utf8Front front_of(std::string_view text) {
  return codec::utf8_front(text.data(), text.data() + text.size());
}

// Where the first byte of `text` that belongs to no character stands.
std::size_t valid_bytes(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<std::uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Utf8Front front = front_of(text.substr(at));
    if (!front.whole) break;
    at += front.bytes;
  }
  return at;
}

}  // namespace

std::size_t bytes_of_units(std::string_view utf8, std::size_t units) {
  std::size_t at = 0;
  while (units > 0 && at < utf8.size()) {
    const std::uint8_t lead = static_cast<std::uint8_t>(utf8[at]);
    const std::size_t its = codec::utf16_units(lead);
    if (its > units) return std::string_view::npos;
    units -= its;
    at += lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  }
  return units == 0 ? at : std::string_view::npos;
}

bool valid_utf8(std::string_view text) {
  return valid_bytes(text) == text.size();
}

std::string_view as_utf8(std::string_view text, std::string& room) {
  std::size_t valid = valid_bytes(text);
  if (valid == text.size()) return text;
  room.clear();
  while (true) {
    room += text.substr(0, valid);
    text.remove_prefix(valid);
    if (text.empty()) return room;
    room += kReplacement;
    text.remove_prefix(front_of(text).bytes);
    valid = valid_bytes(text);
  }
}

std::string_view form_decoded(std::string_view encoded, std::string& room) {
  if (encoded.find_first_of("%+") == std::string_view::npos) return encoded;
  room.clear();
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    char c = encoded[i] == '+' ? ' ' : encoded[i];
    if (c == '%' && i + 2 < encoded.size() && wire::hex_value(encoded[i + 1]) >= 0 &&
        wire::hex_value(encoded[i + 2]) >= 0) {
      c = static_cast<char>(wire::hex_value(encoded[i + 1]) << 4 | wire::hex_value(encoded[i + 2]));
      i += 2;
    }
    room += c;
  }
  return room;
}

}  // namespace limpet::engine
