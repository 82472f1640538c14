#include "routing/sid_table.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/routing/pools.h"

namespace limpet::routing {
namespace {

constexpr std::uint32_t kLife = 45'000;

class Sids : public testing::Test {
 protected:
  std::uint64_t now = 1'000'000;

  static std::string sid(std::uint64_t number) { return "sid-" + std::to_string(number); }
  void learn(SidTable& table, std::uint64_t number, std::uint32_t source = 1, std::uint32_t life = kLife) {
    table.learn(sid(number), static_cast<std::uint32_t>(number), client(source), life, now);
  }
  bool knows(SidTable& table, std::uint64_t number) {  // ends probation
    const auto found = table.touch(sid(number), now);
    return found && found->server_serial == number;
  }
};

TEST_F(Sids, WhatWasLearnedIsFound) {
  SidTable table(100);
  table.learn("a-sid", 7, client(1), 45'000, now);
  const auto found = table.touch("a-sid", now);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->server_serial, 7u);
  EXPECT_EQ(found->life_ms, 45'000u);
  EXPECT_FALSE(table.touch("another", now));
  EXPECT_FALSE(table.touch("", now));
}

TEST_F(Sids, ATouchEndsProbation) {
  SidTable table(100);
  learn(table, 1);
  learn(table, 2);
  EXPECT_EQ(table.on_probation(), 2u);
  EXPECT_TRUE(knows(table, 1));
  EXPECT_EQ(table.on_probation(), 1u);
  EXPECT_EQ(table.size(), 2u);
}

TEST_F(Sids, AnEntryLivesItsLifeAfterItsLastTouch) {
  SidTable table(100);
  learn(table, 1);
  now += kLife;
  EXPECT_TRUE(knows(table, 1));
  now += kLife;
  EXPECT_TRUE(knows(table, 1));
  now += kLife + 1;
  EXPECT_FALSE(knows(table, 1));
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.evicted(), 0u);
}

TEST_F(Sids, AnUnpinnedEntryLivesItsLifeFromThenOn) {
  SidTable table(100);
  learn(table, 1);
  table.pin(sid(1));
  now += 10 * kLife;
  table.unpin(sid(1), now);
  EXPECT_EQ(table.on_probation(), 0u);
  now += kLife;
  EXPECT_TRUE(knows(table, 1));
  now += kLife + 1;
  EXPECT_FALSE(knows(table, 1));
  learn(table, 2);
  table.unpin(sid(2), now);
  table.unpin(sid(3), now);
  EXPECT_EQ(table.on_probation(), 1u) << "of what was never pinned it says nothing";
}

TEST_F(Sids, TimeMayStandStill) {
  SidTable table(100);
  now = 0;
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t n = 0; n < 500; ++n) learn(table, n, static_cast<std::uint32_t>(n), 0);
    EXPECT_EQ(table.size(), 100u);
    for (std::uint64_t n = 400; n < 500; ++n) EXPECT_TRUE(knows(table, n)) << n;
  }
}

TEST_F(Sids, TimeMayGoBackwardsOrFarAhead) {
  SidTable table(100);
  learn(table, 1);
  now -= 500'000;
  EXPECT_TRUE(knows(table, 1));
  learn(table, 2);
  now = 1'700'000'000'000;
  EXPECT_FALSE(knows(table, 1));
  learn(table, 3);
  EXPECT_TRUE(knows(table, 3));
  now = std::numeric_limits<std::uint64_t>::max();
  learn(table, 4);
  EXPECT_TRUE(knows(table, 4));
}

TEST_F(Sids, AnyClockWillDo) {
  SidTable table(100);
  now = 1'800'000'000'000'000;
  learn(table, 1);
  now += kLife;
  EXPECT_TRUE(knows(table, 1));
  now += kLife + 1;
  EXPECT_FALSE(knows(table, 1));
}

TEST_F(Sids, ForgottenIsForgotten) {
  SidTable table(100);
  learn(table, 1);
  learn(table, 2);
  EXPECT_TRUE(knows(table, 2));
  for (const std::uint64_t n : {1, 2, 3}) table.forget(sid(n));
  EXPECT_FALSE(knows(table, 1));
  EXPECT_FALSE(knows(table, 2));
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.evicted(), 0u);
}

TEST_F(Sids, ASidLearnedTwiceIsOfItsLastServer) {
  SidTable table(100);
  table.learn("a", 1, client(1), kLife, now);
  table.touch("a", now);
  table.learn("a", 2, client(2), kLife, now);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.on_probation(), 1u);
  EXPECT_EQ(table.touch("a", now)->server_serial, 2u);
}

TEST_F(Sids, APinnedEntryStaysUntilItIsForgotten) {
  SidTable table(100);
  learn(table, 1);
  learn(table, 2);
  EXPECT_TRUE(knows(table, 2));
  table.pin(sid(1));
  table.pin(sid(2));
  table.pin(sid(3));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.on_probation(), 0u);
  now += 1'000'000'000;
  EXPECT_TRUE(knows(table, 1));
  EXPECT_TRUE(knows(table, 2));
  EXPECT_FALSE(knows(table, 3));
  table.forget(sid(1));
  EXPECT_FALSE(knows(table, 1));
}

TEST_F(Sids, ATableOfNothingKeepsNothing) {
  SidTable table(0);
  learn(table, 1);
  EXPECT_FALSE(knows(table, 1));
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.bytes_per_entry(), 0u);
}

TEST_F(Sids, ATableOfOneKeepsTheLast) {
  SidTable table(1);
  learn(table, 1);
  learn(table, 2);
  EXPECT_FALSE(knows(table, 1));
  EXPECT_TRUE(knows(table, 2));
  EXPECT_EQ(table.evicted(), 1u);
}

// --- what goes when it is full: a table this small is one shard without a floor for probation ---

TEST_F(Sids, WhenFullTheOldestOnProbationGoes) {
  SidTable table(60);
  for (std::uint64_t n = 0; n < 60; ++n) learn(table, n, static_cast<std::uint32_t>(n));
  EXPECT_TRUE(knows(table, 0));
  learn(table, 60, 60);
  EXPECT_TRUE(knows(table, 0));
  EXPECT_FALSE(knows(table, 1));
  EXPECT_TRUE(knows(table, 2));
  EXPECT_EQ(table.size(), 60u);
  EXPECT_EQ(table.evicted(), 1u);
}

TEST_F(Sids, WhenFullAnExpiredOneGoesBeforeAnyOther) {
  SidTable table(60);
  learn(table, 0);
  EXPECT_TRUE(knows(table, 0));
  now += kLife + 1;
  for (std::uint64_t n = 1; n <= 60; ++n) learn(table, n, static_cast<std::uint32_t>(n));
  for (std::uint64_t n = 1; n <= 60; ++n) EXPECT_TRUE(knows(table, n)) << n;
  EXPECT_EQ(table.evicted(), 0u);
}

TEST_F(Sids, WhenAllAreSettledTheLeastRecentlyTouchedGoes) {
  SidTable table(60);
  for (std::uint64_t n = 0; n < 60; ++n) learn(table, n, static_cast<std::uint32_t>(n));
  for (std::uint64_t n = 0; n < 60; ++n) EXPECT_TRUE(knows(table, n));
  EXPECT_TRUE(knows(table, 0));
  learn(table, 60);
  EXPECT_TRUE(knows(table, 0));
  EXPECT_FALSE(knows(table, 1));
  EXPECT_TRUE(knows(table, 60));
}

TEST_F(Sids, PinnedEntriesGoLast) {
  SidTable table(60);
  for (std::uint64_t n = 0; n < 59; ++n) {
    learn(table, n, static_cast<std::uint32_t>(n));
    table.pin(sid(n));
  }
  learn(table, 100);
  EXPECT_TRUE(knows(table, 100));
  learn(table, 101);
  EXPECT_FALSE(knows(table, 100));
  for (std::uint64_t n = 0; n < 59; ++n) EXPECT_TRUE(knows(table, n));
  table.pin(sid(101));
  learn(table, 102);  // a table is a bound: now the oldest tunnel's entry goes
  EXPECT_EQ(table.size(), 60u);
  EXPECT_FALSE(knows(table, 0));
  EXPECT_TRUE(knows(table, 102));
}

TEST_F(Sids, NewSessionsSettleInATableFullOfOldOnes) {
  SidTable table(6400);
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    learn(table, n, static_cast<std::uint32_t>(n));
    EXPECT_TRUE(knows(table, n));
  }
  int settled = 0;
  for (std::uint64_t n = 20'000; n < 20'040; ++n) learn(table, n, static_cast<std::uint32_t>(n));
  for (std::uint64_t n = 20'000; n < 20'040; ++n) settled += knows(table, n) ? 1 : 0;
  EXPECT_EQ(settled, 40);
}

TEST_F(Sids, ALongLifeAtTheEndDoesNotKeepExpiredEntries) {
  SidTable table(60);
  learn(table, 0, 0, 1'000'000'000);
  EXPECT_TRUE(knows(table, 0));
  for (std::uint64_t n = 1; n < 50; ++n) {
    learn(table, n, static_cast<std::uint32_t>(n));
    EXPECT_TRUE(knows(table, n));
  }
  now += kLife + 1;
  for (std::uint64_t n = 100; n < 130; ++n) learn(table, n, static_cast<std::uint32_t>(n));
  EXPECT_EQ(table.evicted(), 0u);
  EXPECT_LE(table.size(), 31u);
}

TEST_F(Sids, NeverMoreThanTheMost) {
  for (const std::size_t most : {1u, 7u, 1000u, 5000u, 40'000u}) {
    SidTable table(most);
    for (std::uint64_t n = 0; n < 3 * most; ++n) {
      learn(table, n, static_cast<std::uint32_t>(n));
      if (n % 3 == 0) knows(table, n);
      if (n % 7 == 0) table.pin(sid(n));
    }
    EXPECT_LE(table.size(), most);
    EXPECT_GE(table.size(), most - most / 10);
    EXPECT_EQ(table.most(), most);
  }
}

// --- one source ---

TEST_F(Sids, OneSourceHasEightAtLeastAndThenLosesItsOwnOldest) {
  SidTable table(100);
  learn(table, 1'000, 2);
  for (std::uint64_t n = 0; n < 20; ++n) learn(table, n, 1);
  EXPECT_EQ(table.on_probation(), 9u);
  EXPECT_EQ(table.evicted(), 12u);
  for (std::uint64_t n = 0; n < 12; ++n) EXPECT_FALSE(knows(table, n)) << n;
  for (std::uint64_t n = 12; n < 20; ++n) EXPECT_TRUE(knows(table, n)) << n;
  EXPECT_TRUE(knows(table, 1'000));
}

TEST_F(Sids, SettledSessionsDoNotCountAgainstTheirSource) {
  SidTable table(100);
  for (std::uint64_t n = 0; n < 80; ++n) {
    learn(table, n, 1);
    EXPECT_TRUE(knows(table, n));
  }
  for (std::uint64_t n = 0; n < 80; ++n) EXPECT_TRUE(knows(table, n)) << n;
}

TEST_F(Sids, EntriesLeaveTheirSourceFromAnyPlace) {
  SidTable table(1000);
  for (int round = 0; round < 20; ++round) {
    for (std::uint64_t n = 0; n < 8; ++n) learn(table, n, 1);
    for (const std::uint64_t n : {3, 0, 7}) EXPECT_TRUE(knows(table, n));
    for (const std::uint64_t n : {4, 1}) table.forget(sid(n));
    for (const std::uint64_t n : {6, 2, 5}) table.pin(sid(n));
    EXPECT_EQ(table.on_probation(), 0u);
    EXPECT_EQ(table.size(), 6u);
    for (std::uint64_t n = 0; n < 8; ++n) table.forget(sid(n));
  }
  EXPECT_EQ(table.evicted(), 0u);
}

TEST_F(Sids, AMillionAbandonedOpensFromAHundredAddressesLoseNoHonestSession) {
  SidTable table(1'000'000);
  constexpr std::uint64_t honest = 1000, hostile = 1'000'000;
  // The hardest order: every honest client has opened, and its second request comes after the flood.
  for (std::uint64_t n = 0; n < honest; ++n) learn(table, n, 1'000 + static_cast<std::uint32_t>(n));
  for (std::uint64_t n = 0; n < hostile; ++n) {
    learn(table, honest + n, static_cast<std::uint32_t>(n % 100));
    if (n % 100 == 0) ++now;
  }
  std::uint64_t lost = 0;
  for (std::uint64_t n = 0; n < honest; ++n) lost += knows(table, n) ? 0 : 1;
  EXPECT_EQ(lost, 0u);
  EXPECT_LE(table.size(), table.most() / 2 + honest);
  // And the flood again beside sessions that have settled.
  for (std::uint64_t n = 0; n < hostile; ++n)
    learn(table, 2'000'000 + n, static_cast<std::uint32_t>(n % 100));
  for (std::uint64_t n = 0; n < honest; ++n) lost += knows(table, n) ? 0 : 1;
  EXPECT_EQ(lost, 0u);
}

TEST_F(Sids, BehindTheFloodsOwnAddressASessionHoldsIfItsSecondRequestIsPrompt) {
  SidTable table(1'000'000);
  constexpr std::uint64_t honest = 300, between = 3000;  // documented: some 5000 opens of that address
  std::uint64_t lost = 0;
  std::uint64_t next = honest;
  for (std::uint64_t n = 0; n < honest; ++n) {
    learn(table, n, 5);
    for (std::uint64_t i = 0; i < between; ++i) learn(table, next++, 5);
    lost += knows(table, n) ? 0 : 1;
  }
  for (std::uint64_t n = 0; n < honest; ++n) lost += knows(table, n) ? 0 : 1;
  EXPECT_EQ(lost, 0u);
}

// --- threads ---

TEST_F(Sids, ThreadsShareTheTable) {
  SidTable table(20'000);
  constexpr std::uint64_t each = 20'000;
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&table, t] {
      Random random{t};
      for (std::uint64_t i = 0; i < each; ++i) {
        const std::string name = sid(random.below(30'000));
        const std::uint64_t at = i + random.below(50);  // clocks of threads differ a little
        switch (random.below(8)) {
          case 0: table.pin(name); break;
          case 1: table.forget(name); break;
          case 2:
          case 3:
          case 4:
            table.learn(name, t, client(static_cast<std::uint32_t>(random.below(500))), 1000, at);
            break;
          default: table.touch(name, at);
        }
        if (i % 1000 == 0) {
          ASSERT_LE(table.size(), table.most());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(table.size(), table.most());
  for (std::uint64_t n = 0; n < 30'000; ++n) table.forget(sid(n));
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.on_probation(), 0u);
}

}  // namespace
}  // namespace limpet::routing
