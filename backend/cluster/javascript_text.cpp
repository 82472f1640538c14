#include "backend/cluster/javascript_text.h"

#include "backend/codec/utf8.h"

namespace limpet::cluster {
namespace {

constexpr std::uint32_t kReplaced = 0xfffd;

// A sequence's first byte without the bits that tell its length.
constexpr std::uint32_t kFirst[] = {0, 0x7f, 0x1f, 0x0f, 0x07};

template <class Each>
void each_unit(std::string_view text, Each&& each) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const std::size_t size = codec::utf8_sequence(at, end);
    if (size == 0) {
      each(kReplaced);
      ++at;
      continue;
    }
    std::uint32_t code = static_cast<unsigned char>(*at) & kFirst[size];
    for (const char* next = at + 1; next != at + size; ++next)
      code = code << 6U | (static_cast<unsigned char>(*next) & 0x3fU);
    if (code < 0x10000) {
      each(code);
    } else {
      each(0xd800U + ((code - 0x10000U) >> 10U));
      each(0xdc00U + ((code - 0x10000U) & 0x3ffU));
    }
    at += size;
  }
}

}  // namespace

std::size_t utf16_size(std::string_view text) {
  std::size_t size = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    const char* const stop = codec::utf8_run(at, end);
    size += codec::utf16_length({at, stop});
    if (stop == end) return size;
    ++size;
    at = stop + 1;
  }
}

std::int32_t hash_of(std::string_view utf8) {
  std::uint32_t hash = 0;
  each_unit(utf8, [&](std::uint32_t unit) { hash = hash * 31U + unit; });
  return static_cast<std::int32_t>(hash);
}

}  // namespace limpet::cluster
