#include "routing/balance.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

namespace limpet::routing {
namespace {

using Candidates = std::vector<Candidate>;

TEST(LeastConnections, TakesTheLowestLoadForItsWeight) {
  Random random{1};
  EXPECT_EQ(least_connections(Candidates{{0, 10, 1, 1}, {1, 9, 1, 1}, {2, 11, 1, 1}}, random), 1u);
  EXPECT_EQ(least_connections(Candidates{{0, 10, 1, 1}, {1, 25, 3, 1}, {2, 11, 1, 1}}, random), 1u);
  EXPECT_EQ(least_connections(Candidates{{0, 10, 1, 1}, {1, 2, 0.1, 0.1}}, random), 0u);
}

TEST(LeastConnections, BreaksTiesAtRandomAndEvenly) {
  Random random{1};
  std::array<int, 4> taken{};
  const Candidates from{{0, 5, 1, 1}, {1, 5, 1, 1}, {2, 6, 1, 1}, {3, 10, 2, 1}};
  for (int i = 0; i < 30'000; ++i) ++taken[least_connections(from, random)];
  EXPECT_NEAR(taken[0], 10'000, 500);
  EXPECT_NEAR(taken[1], 10'000, 500);
  EXPECT_EQ(taken[2], 0);
  EXPECT_NEAR(taken[3], 10'000, 500);
}

TEST(RandomTwo, NeverTakesTheMostLoadedOfThree) {
  Random random{1};
  std::array<int, 3> taken{};
  const Candidates from{{0, 1, 1, 1}, {1, 2, 1, 1}, {2, 3, 1, 1}};
  for (int i = 0; i < 30'000; ++i) ++taken[random_two(from, random)];
  EXPECT_NEAR(taken[0], 20'000, 600);  // in two of three pairs
  EXPECT_NEAR(taken[1], 10'000, 600);
  EXPECT_EQ(taken[2], 0);
}

TEST(RandomTwo, DrawsByWeight) {
  Random random{1};
  Candidates from{{0, 0, 1, 1}, {1, 0, 2, 1}, {2, 0, 3, 1}};
  std::array<double, 3> load{};
  for (int i = 0; i < 60'000; ++i) {
    const std::size_t at = random_two(from, random);
    ++load[at];
    ++from[at].load;
  }
  EXPECT_NEAR(load[0], 10'000, 300);
  EXPECT_NEAR(load[1], 20'000, 300);
  EXPECT_NEAR(load[2], 30'000, 300);
}

TEST(RandomTwo, OfOneTakesIt) {
  Random random{1};
  EXPECT_EQ(random_two(Candidates{{7, 100, 0.1, 0.1}}, random), 0u);
}

TEST(RoundRobin, GivesEachOneTurnInEveryRound) {
  Turns turns;
  Random random{1};
  const Candidates from{{0, 0, 1, 1}, {1, 0, 1, 1}, {2, 0, 1, 1}};
  for (int round = 0; round < 100; ++round) {
    std::array<int, 3> taken{};
    for (int i = 0; i < 3; ++i) ++taken[turns.next(1, 3, from, random)];
    EXPECT_EQ(taken, (std::array<int, 3>{1, 1, 1})) << round;
  }
}

TEST(RoundRobin, InterleavesByWeight) {
  Turns turns;
  Random random{1};
  const Candidates from{{0, 0, 5, 1}, {1, 0, 1, 1}, {2, 0, 1, 1}};
  std::array<int, 3> taken{};
  for (int i = 0; i < 7'000; ++i) ++taken[turns.next(1, 3, from, random)];
  EXPECT_NEAR(taken[0], 5'000, 2);
  EXPECT_NEAR(taken[1], 1'000, 2);
  EXPECT_NEAR(taken[2], 1'000, 2);
}

TEST(RoundRobin, OnePoolDoesNotDisturbAnother) {
  Turns turns;
  Random random{1};
  const Candidates from{{0, 0, 1, 1}, {1, 0, 1, 1}};
  for (int round = 0; round < 50; ++round) {
    const std::size_t a1 = turns.next(1, 2, from, random), b1 = turns.next(2, 2, from, random);
    const std::size_t a2 = turns.next(1, 2, from, random), b2 = turns.next(2, 2, from, random);
    EXPECT_NE(a1, a2);
    EXPECT_NE(b1, b2);
  }
}

TEST(RoundRobin, WorkersDoNotBeginAtTheSameServer) {
  const Candidates from{{0, 0, 1, 1}, {1, 0, 1, 1}, {2, 0, 1, 1}};
  std::map<std::size_t, int> first;
  for (std::uint64_t worker = 0; worker < 300; ++worker) {
    Turns turns;
    Random random{worker * 77};
    ++first[turns.next(1, 3, from, random)];
  }
  EXPECT_EQ(first.size(), 3u);
  for (const auto& [at, count] : first) EXPECT_NEAR(count, 100, 40) << at;
}

TEST(RoundRobin, SkipsWhoIsAwayAndTakesHimBack) {
  Turns turns;
  Random random{1};
  const Candidates all{{0, 0, 1, 1}, {1, 0, 1, 1}, {2, 0, 1, 1}}, two{{0, 0, 1, 1}, {2, 0, 1, 1}};
  std::array<int, 3> taken{};
  for (int i = 0; i < 100; ++i) ++taken[two[turns.next(1, 3, two, random)].index];
  EXPECT_EQ(taken, (std::array<int, 3>{50, 0, 50}));
  taken = {};
  for (int i = 0; i < 300; ++i) ++taken[all[turns.next(1, 3, all, random)].index];
  for (const int count : taken) EXPECT_NEAR(count, 100, 2);
}

}  // namespace
}  // namespace limpet::routing
