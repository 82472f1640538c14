#include "routing/client_key.h"

#include <algorithm>

#include "routing/xxh3.h"

namespace limpet::routing {

ClientKey ClientKey::of(std::span<const std::uint8_t> address) {
  // ::ffff:a.b.c.d is the IPv4 client (RFC 4291, 2.5.5.2); by its first 64 bits all of IPv4 would be one
  // client.
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (address.size() == 16 && std::equal(mapped.begin(), mapped.end(), address.begin())) {
    address = address.last(4);
  }
  ClientKey key;
  if (address.size() != 4 && address.size() != 16) return key;
  key.length = address.size() == 4 ? 4 : 8;
  std::copy_n(address.begin(), key.length, key.bytes.begin());
  return key;
}

std::uint64_t ClientKey::hash(std::uint64_t seed) const {
  return XXH3_64bits_withSeed(bytes.data(), length, seed);
}

}  // namespace limpet::routing
