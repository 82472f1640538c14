#include "backend/engine/sids.h"

#include <errno.h>
#include <sys/random.h>

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <utility>

#include "routing/server.h"

namespace limpet::engine {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// At most 256 bytes a call come whole and uninterrupted (getrandom(2)).
void fill(unsigned char* at, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::getrandom(at, std::min<std::size_t>(size, 256), 0);
    if (got < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
    if (got <= 0) continue;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

}  // namespace

Sids::Sids(std::string_view node_id) : tag_(routing::server_tag(node_id)) {}

void Sids::next(char (&sid)[kSize]) {
  if (used_ == random_.size()) {
    fill(random_.data(), random_.size());
    used_ = 0;
  }
  for (std::size_t i = 0; i < kRandom; i += 4) {
    std::uint32_t bits = 0;
    for (int byte = 0; byte < 3; ++byte) bits = bits << 8 | std::exchange(random_[used_++], 0);
    for (std::size_t digit = 0; digit < 4; ++digit) sid[i + digit] = kDigits[bits >> (18 - 6 * digit) & 63];
  }
  std::ranges::copy(tag_, sid + kRandom);
}

}  // namespace limpet::engine
