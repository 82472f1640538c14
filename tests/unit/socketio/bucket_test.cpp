#include "backend/socketio/bucket.h"

#include <gtest/gtest.h>

namespace limpet::socketio {
namespace {

// How many may be taken at once.
int burst(Bucket& bucket, std::uint32_t rate, std::uint64_t now) {
  int taken = 1;
  while (bucket.take(rate, now) == 0) ++taken;
  return taken;
}

TEST(Bucket, HoldsASecondsWorthHoweverLongItRests) {
  Bucket bucket(10, 5);
  EXPECT_EQ(burst(bucket, 10, 5), 10);
  EXPECT_EQ(burst(bucket, 10, 60'000), 10);
}

TEST(Bucket, FractionsAreNotLost) {
  Bucket bucket(10, 0);
  burst(bucket, 10, 0);
  std::uint64_t now = 0;
  for (int i = 0; i < 100; ++i) {  // 8 a second: never late
    EXPECT_LE(bucket.take(10, now += 170), 80U);
    EXPECT_LE(bucket.take(10, now += 80), 170U);
  }
}

// Whoever waits as long as it says gets what he waited for, and in all no more than the rate allows.
TEST(Bucket, TheRateHolds) {
  for (const std::uint32_t rate : {1U, 3U, 19U, 20U, 21U, 1500U, 1'000'000U}) {
    Bucket bucket(rate, 0);
    std::uint64_t taken = 0, waits = 0;
    for (std::uint64_t now = 0; now <= 3000; ++waits) {
      std::uint64_t wait = 0;
      for (; wait == 0; ++taken) wait = bucket.take(rate, now);
      now += wait;
    }
    EXPECT_GE(taken, 4ULL * rate - rate / 20 - 1) << rate;
    EXPECT_LE(taken, 4ULL * rate) << rate;
    EXPECT_LE(waits, 70U) << rate;
  }
}

}  // namespace
}  // namespace limpet::socketio
