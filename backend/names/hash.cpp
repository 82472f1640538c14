#include "backend/names/hash.h"

#include <array>
#include <cstdint>

#include "backend/names/random_text.h"
#include "routing/xxh3.h"

namespace limpet::names {
namespace {

using Secret = std::array<std::uint8_t, XXH3_SECRET_SIZE_MIN>;

Secret random_secret() {
  Secret secret;
  fill_random(secret);
  return secret;
}

}  // namespace

std::size_t Hash::operator()(std::string_view text) const {
  static const Secret secret = random_secret();
  return XXH3_64bits_withSecret(text.data(), text.size(), secret.data(), secret.size());
}

}  // namespace limpet::names
