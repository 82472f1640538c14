#include <algorithm>
#include <cstring>

#include "backend/engine/server.h"

namespace limpet::engine {
namespace {

constexpr std::size_t kMostOfLong = 4096, kMostOfOthers = 512;

std::string_view bounded(std::string_view text, bool may_be_long) {
  return text.size() > (may_be_long ? kMostOfLong : kMostOfOthers) ? std::string_view() : text;
}

}  // namespace

Handshake::Owner Handshake::make(const std::array<std::string_view, kTexts>& texts, std::int64_t time_ms,
                                 bool secure) {
  constexpr std::size_t kTarget = 0, kCookie = 4;
  std::array<std::string_view, kTexts> kept;
  std::size_t size = 0;
  for (std::size_t i = 0; i < kTexts; ++i) {
    kept[i] = bounded(texts[i], i == kTarget || i == kCookie);
    size += kept[i].size();
  }
  Owner owner(new (::operator new(sizeof(Handshake) + size)) Handshake);
  owner->time_ms_ = time_ms;
  owner->secure_ = secure;
  char* at = reinterpret_cast<char*>(owner.get() + 1);
  std::uint16_t end = 0;
  for (std::size_t i = 0; i < kTexts; ++i) {
    at = std::ranges::copy(kept[i], at).out;
    end = static_cast<std::uint16_t>(end + kept[i].size());
    owner->ends_[i] = end;
  }
  return owner;
}

std::string_view Handshake::text(std::size_t which) const {
  const std::size_t begin = which == 0 ? 0 : ends_[which - 1];
  return {reinterpret_cast<const char*>(this + 1) + begin, ends_[which] - begin};
}

}  // namespace limpet::engine
