#include "backend/socketio/bucket.h"

#include <gtest/gtest.h>

namespace limpet::socketio {
namespace {

TEST(Bucket, HoldsASecondsWorthHoweverLongItRests) {
  Bucket bucket(10, 5);
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(bucket.take(10, 5));
  int burst = 0;
  while (bucket.take(10, 60'000)) ++burst;
  EXPECT_EQ(burst, 10);
}

TEST(Bucket, FractionsAreNotLost) {
  Bucket bucket(10, 0);
  while (bucket.take(10, 0)) {
  }
  std::uint64_t now = 0;
  for (int i = 0; i < 100; ++i) {  // 8 a second
    EXPECT_TRUE(bucket.take(10, now += 170));
    EXPECT_TRUE(bucket.take(10, now += 80));
  }
}

TEST(Bucket, TheRateHolds) {
  for (const std::uint32_t rate : {1U, 3U, 1500U, 1'000'000U}) {
    Bucket bucket(rate, 0);
    std::uint64_t taken = 0;
    for (std::uint64_t now = 0; now <= 3000; ++now) {
      while (bucket.take(rate, now)) ++taken;
    }
    EXPECT_EQ(taken, 4ULL * rate);
  }
}

}  // namespace
}  // namespace limpet::socketio
