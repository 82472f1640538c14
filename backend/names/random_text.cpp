#include "backend/names/random_text.h"

#include <sys/random.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace limpet::names {

// At most 256 bytes a call come whole and uninterrupted (getrandom(2)).
void fill_random(std::span<unsigned char> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), std::min<std::size_t>(bytes.size(), 256), 0);
    if (got < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
    if (got > 0) bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

unsigned char RandomText::draw() {
  if (used_ == random_.size()) {
    fill_random(random_);
    used_ = 0;
  }
  return std::exchange(random_[used_++], 0);
}

void RandomText::write(std::span<char> text) {
  assert(text.size() % 4 == 0);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t bits = 0;
    for (int byte = 0; byte < 3; ++byte) bits = bits << 8 | draw();
    for (std::size_t digit = 0; digit < 4; ++digit)
      text[i + digit] = kBase64Url[bits >> (18 - 6 * digit) & 63];
  }
}

void RandomText::write_hex(std::span<char> text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  assert(text.size() % 2 == 0);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const unsigned char byte = draw();
    text[i] = kHex[byte >> 4];
    text[i + 1] = kHex[byte & 15];
  }
}

}  // namespace limpet::names
