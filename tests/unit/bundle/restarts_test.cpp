// When children are started again.
#include "proxy/bundle/restarts.h"

#include <gtest/gtest.h>

namespace limpet::bundle {
namespace {

constexpr double kMiddle = 0.5;  // no jitter

TEST(Restarts, TheFirstIsQuickAndEachIsLater) {
  Restarts restarts;
  EXPECT_EQ(restarts.ended(1'000, kMiddle).delay_ms, 100u);
  EXPECT_EQ(restarts.ended(2'000, kMiddle).delay_ms, 200u);
  EXPECT_EQ(restarts.ended(3'000, kMiddle).delay_ms, 400u);
  EXPECT_EQ(restarts.ended(4'000, kMiddle).delay_ms, 800u);
}

TEST(Restarts, DelaysAreBounded) {
  Restarts::Settings settings;
  settings.crash_loop = 100;
  Restarts restarts(settings);
  Restarts::Verdict last;
  for (int i = 0; i < 90; ++i) last = restarts.ended(0, kMiddle);
  EXPECT_EQ(last.delay_ms, 10'000u);
  EXPECT_FALSE(last.held);
}

TEST(Restarts, JitterIsAQuarterEitherWay) {
  Restarts early, late;
  EXPECT_EQ(early.ended(0, 0.0).delay_ms, 75u);
  EXPECT_EQ(late.ended(0, 1.0).delay_ms, 125u);
}

TEST(Restarts, TheFifthEndInARowIsACrashLoop) {
  Restarts restarts;
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_FALSE(restarts.ended(i * 500, kMiddle).held);
  const auto verdict = restarts.ended(2'000, kMiddle);
  EXPECT_TRUE(verdict.held);
  EXPECT_EQ(verdict.failures, 5u);
  EXPECT_EQ(verdict.within_ms, 2'000u);
  EXPECT_EQ(verdict.delay_ms, 60'000u);
}

TEST(Restarts, ATryThatFailsIsHeldAgainAtOnce) {
  Restarts restarts;
  for (int i = 0; i < 5; ++i) restarts.ended(0, kMiddle);
  EXPECT_TRUE(restarts.ended(60'000, kMiddle).held);
}

TEST(Restarts, AStableTimeForgives) {
  Restarts restarts;
  for (int i = 0; i < 5; ++i) restarts.ended(0, kMiddle);
  restarts.became_ready(100'000);
  const auto verdict = restarts.ended(110'000, kMiddle);
  EXPECT_FALSE(verdict.held);
  EXPECT_EQ(verdict.failures, 1u);
}

TEST(Restarts, AShortTimeDoesNot) {
  Restarts restarts;
  for (int i = 0; i < 4; ++i) restarts.ended(0, kMiddle);
  restarts.became_ready(100'000);
  EXPECT_TRUE(restarts.ended(109'999, kMiddle).held);
}

TEST(Restarts, ReadinessCountsForOneLifeOnly) {
  Restarts restarts;
  restarts.became_ready(0);
  EXPECT_EQ(restarts.ended(20'000, kMiddle).failures, 1u);
  EXPECT_EQ(restarts.ended(90'000, kMiddle).failures, 2u);
}

TEST(Restarts, AReadyLifeWhoseEndWasAskedForSaysNothingOfTheNext) {
  Restarts restarts;
  for (int i = 0; i < 4; ++i) restarts.ended(0, kMiddle);
  restarts.became_ready(1'000);
  restarts.ended_as_asked(2'000);
  EXPECT_TRUE(restarts.ended(20'000, kMiddle).held);
}

TEST(Restarts, AStableLifeForgivesThoughItsEndWasAskedFor) {
  Restarts restarts;
  for (int i = 0; i < 4; ++i) restarts.ended(0, kMiddle);
  restarts.became_ready(1'000);
  restarts.ended_as_asked(11'000);
  EXPECT_EQ(restarts.ended(11'500, kMiddle).failures, 1u);
}

TEST(Restarts, WhoeverAsksForItIsForgiven) {
  Restarts restarts;
  for (int i = 0; i < 5; ++i) restarts.ended(0, kMiddle);
  restarts.forgive();
  EXPECT_EQ(restarts.ended(0, kMiddle).delay_ms, 100u);
}

}  // namespace
}  // namespace limpet::bundle
