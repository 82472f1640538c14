#include "backend/names/hash.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

namespace limpet::names {
namespace {

// What libstdc++ hashes strings with (MurmurHash64A, a fixed seed), run backwards: any 8 bytes, then 8 that
// bring the sum to the same place. Such names can be made by the thousand.
std::string crafted(std::uint64_t first) {
  constexpr std::uint64_t kMul = 0xc6a4a7935bd1e995;
  std::uint64_t inverse = kMul;
  for (int i = 0; i < 6; ++i) inverse *= 2 - kMul * inverse;
  const auto mix = [](std::uint64_t v) { return v ^ (v >> 47); };
  const std::uint64_t half = ((0xc70f6907 ^ (16 * kMul)) ^ (mix(first * kMul) * kMul)) * kMul;
  const std::uint64_t second = mix((half ^ 0x1234567812345678) * inverse) * inverse;
  std::string name(16, '\0');
  std::memcpy(name.data(), &first, 8);
  std::memcpy(name.data() + 8, &second, 8);
  return name;
}

TEST(Hash, NamesThatCollideElsewhereDoNotHere) {
  const std::string one = crafted(1), other = crafted(2);
#ifdef __GLIBCXX__
  ASSERT_EQ(std::hash<std::string>{}(one), std::hash<std::string>{}(other));
#endif
  EXPECT_NE(Hash{}(one), Hash{}(other));
  EXPECT_EQ(Hash{}(one), Hash{}(std::string_view(one)));
}

TEST(Hash, IsOfThisProcessAlone) {
  EXPECT_NE(Hash{}(""), 0x2d06800538d394c2U);  // XXH3 without a seed
}

}  // namespace
}  // namespace limpet::names
