#include "proxy/log/throttle.h"

#include <gtest/gtest.h>

namespace limpet::log {
namespace {

TEST(Throttle, WritesSoManyInAWindowAndCountsTheOthers) {
  Throttle throttle(2, 1'000);
  EXPECT_EQ(throttle.admit(50), 0u);
  EXPECT_EQ(throttle.admit(60), 0u);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(throttle.admit(1'049), std::nullopt);
  EXPECT_EQ(throttle.admit(1'050), 7u);
  EXPECT_EQ(throttle.admit(1'051), 0u);
  EXPECT_EQ(throttle.admit(1'051), std::nullopt);
  EXPECT_EQ(throttle.admit(9'000), 1u);
}

}  // namespace
}  // namespace limpet::log
