#include "tests/bench/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace limpet::bench {
namespace {

void expect_percentiles_of(std::vector<std::int64_t> values) {
  Histogram histogram;
  for (const std::int64_t each : values) histogram.record(each);
  std::ranges::sort(values);
  EXPECT_EQ(histogram.count(), values.size());
  EXPECT_EQ(histogram.max(), static_cast<std::uint64_t>(values.back()));
  for (const double share : {0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    const auto exact = static_cast<double>(values[std::max<std::size_t>(rank, 1) - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.percentile(share)), exact, exact * 0.01) << share;
  }
}

TEST(Histogram, NothingRecordedIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.percentile(0.5), 0u);
  EXPECT_EQ(histogram.max(), 0u);
}

TEST(Histogram, SmallValuesAreExact) {
  for (std::int64_t value = 0; value < 256; ++value) {
    Histogram histogram;
    histogram.record(value);
    EXPECT_EQ(histogram.percentile(0.5), static_cast<std::uint64_t>(value));
  }
}

TEST(Histogram, EveryPowerOfTwoAndItsNeighboursAreNear) {
  for (int power = 1; power < 63; ++power) {
    for (const std::int64_t off : {-1, 0, 1}) expect_percentiles_of({(std::int64_t{1} << power) + off});
  }
}

TEST(Histogram, LatenciesOfManyMagnitudesAreWithinOnePercent) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latency(11, 2.5);
  std::vector<std::int64_t> values;
  for (int i = 0; i < 100'000; ++i) values.push_back(static_cast<std::int64_t>(latency(random)));
  expect_percentiles_of(values);
}

TEST(Histogram, AClockThatWentBackCountsAsZero) {
  Histogram histogram;
  histogram.record(-5);
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_EQ(histogram.max(), 0u);
}

TEST(Histogram, TheLargestValueHasABucket) {
  expect_percentiles_of({std::numeric_limits<std::int64_t>::max()});
}

}  // namespace
}  // namespace limpet::bench
