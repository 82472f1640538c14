// ClientKey: who is asking, as affinity sees it. Pure value.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace limpet::routing {

// A canonical source address: IPv4 whole (/32), IPv6 by its first 64 bits (/64). Length 0: no address (a
// Unix-socket client nobody vouches for).
struct ClientKey {
  std::array<std::uint8_t, 8> bytes{};
  std::uint8_t length = 0;

  // 4 bytes of an IPv4 or 16 of an IPv6 address, network order; any other length gives an unknown client.
  static ClientKey of(std::span<const std::uint8_t> address);
  bool known() const { return length != 0; }
  std::uint64_t hash(std::uint64_t seed) const;  // XXH3-64
  bool operator==(const ClientKey&) const = default;
};

}  // namespace limpet::routing
