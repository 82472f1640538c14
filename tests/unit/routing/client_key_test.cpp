#include "routing/client_key.h"

#include <gtest/gtest.h>

#include <vector>

namespace limpet::routing {
namespace {

std::vector<std::uint8_t> v6(std::uint8_t network, std::uint8_t host) {
  std::vector<std::uint8_t> bytes(16);
  bytes[0] = 0x20;
  bytes[7] = network;
  bytes[15] = host;
  return bytes;
}

TEST(ClientKey, AnIpv4AddressCountsWhole) {
  const std::vector<std::uint8_t> one{192, 0, 2, 1}, two{192, 0, 2, 2};
  EXPECT_EQ(ClientKey::of(one).length, 4);
  EXPECT_NE(ClientKey::of(one), ClientKey::of(two));
  EXPECT_NE(ClientKey::of(one).hash(1), ClientKey::of(two).hash(1));
}

TEST(ClientKey, AnIpv6AddressCountsByItsFirst64Bits) {
  EXPECT_EQ(ClientKey::of(v6(1, 1)), ClientKey::of(v6(1, 2)));
  EXPECT_NE(ClientKey::of(v6(1, 1)), ClientKey::of(v6(2, 1)));
  EXPECT_EQ(ClientKey::of(v6(1, 1)).length, 8);
}

TEST(ClientKey, AMappedIpv4AddressIsTheIpv4Client) {
  const std::vector<std::uint8_t> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
  const std::vector<std::uint8_t> plain{192, 0, 2, 1};
  EXPECT_EQ(ClientKey::of(mapped), ClientKey::of(plain));
}

TEST(ClientKey, AnyOtherLengthIsUnknown) {
  for (const std::size_t length : {0u, 1u, 3u, 5u, 8u, 15u, 17u}) {
    EXPECT_FALSE(ClientKey::of(std::vector<std::uint8_t>(length, 1)).known()) << length;
  }
}

TEST(ClientKey, TheSeedChangesTheHash) {
  const std::vector<std::uint8_t> one{192, 0, 2, 1};
  EXPECT_NE(ClientKey::of(one).hash(1), ClientKey::of(one).hash(2));
  EXPECT_EQ(ClientKey::of(one).hash(1), ClientKey::of(one).hash(1));
}

}  // namespace
}  // namespace limpet::routing
