#include "backend/names/hash.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include "routing/xxh3.h"

namespace limpet::names {
namespace {

using Secret = std::array<std::uint8_t, XXH3_SECRET_SIZE_MIN>;

// At most 256 bytes a call come whole (getrandom(2)).
Secret random_secret() {
  Secret secret;
  static_assert(sizeof secret <= 256);
  while (::getrandom(secret.data(), secret.size(), 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return secret;
}

}  // namespace

std::size_t Hash::operator()(std::string_view text) const {
  static const Secret secret = random_secret();
  return XXH3_64bits_withSecret(text.data(), text.size(), secret.data(), secret.size());
}

}  // namespace limpet::names
