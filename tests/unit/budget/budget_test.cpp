#include "backend/budget/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "backend/budget/reserve.h"

namespace limpet::budget {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Which of these sizes go for so much to come free.
std::vector<std::size_t> gone(const std::vector<std::size_t>& sizes, std::size_t wanted,
                              std::size_t least = 1) {
  Census census;
  for (const std::size_t each : sizes) census.count(each);
  Eviction eviction(census, wanted, least);
  std::vector<std::size_t> taken;
  for (const std::size_t each : sizes) {
    if (eviction.take(each)) taken.push_back(each);
  }
  EXPECT_EQ(eviction.taken(), taken.size());
  return taken;
}

TEST(Eviction, TakesTheLargestAndNoMoreThanItNeeds) {
  EXPECT_THAT(gone({10, 1000, 20, 500, 10}, 900), ElementsAre(1000));
  EXPECT_THAT(gone({10, 1000, 20, 500, 10}, 1200), ElementsAre(1000, 500));
  EXPECT_THAT(gone({10, 1000, 20, 500, 10}, 1500), ElementsAre(1000, 500));
  EXPECT_THAT(gone({100, 100, 100, 100}, 150), ElementsAre(100, 100));
  EXPECT_THAT(gone({100, 100}, 0), IsEmpty());
}

TEST(Eviction, TakesAllThereIsIfThatIsNotEnough) {
  EXPECT_THAT(gone({1, 0, 3}, 10), ElementsAre(1, 3));
  EXPECT_THAT(gone({}, 10), IsEmpty());
}

TEST(Eviction, LeavesWhoHoldsLittle) {
  EXPECT_THAT(gone({99, 100, 101}, 1000, 100), ElementsAre(100, 101));
}

TEST(Share, IsCountedAsLongAsItsOwnerLives) {
  const std::size_t before = total;
  {
    Share one, two;
    one.set(100);
    two.set(30);
    one.set(7);
    EXPECT_EQ(total - before, 37u);
  }
  EXPECT_EQ(total, before);
}

// Connections that hold what the test says.
struct Crowd final : Spender {
  std::vector<std::unique_ptr<Share>> members;
  int walks = 0;
  void join(std::size_t bytes) { members.emplace_back(std::make_unique<Share>())->set(bytes); }
  void weigh(Census& census) const override {
    for (const auto& each : members) census.count(each->bytes());
  }
  void evict(Eviction& eviction) override {
    ++walks;
    std::erase_if(members, [&](const auto& each) { return eviction.take(each->bytes()); });
  }
};

struct BudgetTest : testing::Test {
  void turn(std::uint64_t ms = 0) {
    net::Timer stop(loop, net::delegate<&net::Loop::stop>(&loop));
    stop.after(ms);
    loop.run();
  }
  net::Loop loop;
  Budget budget{loop, 1000};
  Crowd crowd;
  void SetUp() override { budget.watch(crowd); }
};

TEST_F(BudgetTest, NearTheBoundThereIsNoRoomUntilAQuarterIsFree) {
  crowd.join(870);
  EXPECT_FALSE(budget.tight());
  crowd.join(10);
  EXPECT_TRUE(budget.tight());
  crowd.members.pop_back();
  crowd.members[0]->set(760);
  EXPECT_TRUE(budget.tight()) << "it stays so for a while";
  crowd.members[0]->set(750);
  EXPECT_FALSE(budget.tight());
  crowd.members[0]->set(880);
  EXPECT_TRUE(budget.tight());
  turn();
  EXPECT_EQ(budget.evicted(), 0u);
}

TEST_F(BudgetTest, WhoKeepsOthersOutForLongGoesToo) {
  Budget hasty(loop, 1000, 30);
  hasty.watch(crowd);
  for (int i = 0; i < 5; ++i) crowd.join(100);
  crowd.join(400);
  EXPECT_TRUE(hasty.tight());
  turn();
  EXPECT_EQ(crowd.members.size(), 6u);
  turn(100);
  EXPECT_EQ(crowd.members.size(), 5u);
  EXPECT_EQ(hasty.evicted(), 1u);
  EXPECT_FALSE(hasty.tight());
}

TEST_F(BudgetTest, WhoMakesRoomInTimeStays) {
  Budget hasty(loop, 1000, 30);
  hasty.watch(crowd);
  crowd.join(900);
  crowd.members[0]->set(700);
  turn(100);
  crowd.members[0]->set(900);
  EXPECT_TRUE(hasty.tight());
  turn();
  EXPECT_EQ(hasty.evicted(), 0u);
}

TEST_F(BudgetTest, AtTheBoundTheLargestGoAtTheEndOfTheTurn) {
  for (int i = 0; i < 50; ++i) crowd.join(10);
  crowd.join(600);
  EXPECT_EQ(crowd.members.size(), 51u) << "nobody ends from within";
  turn();
  EXPECT_EQ(crowd.members.size(), 50u);
  EXPECT_EQ(budget.evicted(), 1u);
  EXPECT_FALSE(budget.tight());
}

TEST_F(BudgetTest, WhoComesBackAgainAndAgainIsMet) {
  for (int i = 0; i < 5; ++i) {
    crowd.join(2000);
    turn(70);
    EXPECT_THAT(crowd.members, IsEmpty()) << i;
  }
  EXPECT_EQ(budget.evicted(), 5u);
}

TEST_F(BudgetTest, WalksAreApart) {
  for (int i = 0; i < 20; ++i) {
    crowd.join(2000);
    turn();
  }
  EXPECT_LT(crowd.walks, 10);
  turn(120);
  EXPECT_THAT(crowd.members, IsEmpty());
}

// Filled by what no connection holds.
struct BudgetOfNobody : BudgetTest {
  void fill(Budget& large) {
    large.watch(crowd);
    crowd.join(10);
    kept.set(kMost + 1);
  }
  static constexpr std::size_t kMost = 700'000;
  Share kept;
};

TEST_F(BudgetOfNobody, CostsNobody) {
  Budget large(loop, kMost);
  fill(large);
  turn(120);
  EXPECT_EQ(crowd.members.size(), 1u);
  EXPECT_TRUE(large.tight());
  kept.set(0);
  EXPECT_FALSE(large.tight());
}

TEST_F(BudgetOfNobody, TheCrowdIsNotWalkedAllTheTime) {
  Budget large(loop, kMost, 60'000);
  fill(large);
  turn(250);
  EXPECT_EQ(crowd.walks, 1);
}

TEST_F(BudgetOfNobody, PatienceHasAnEnd) {
  Budget large(loop, kMost, 1'000);
  fill(large);
  turn(1'200);
  EXPECT_THAT(crowd.walks, testing::AllOf(testing::Ge(2), testing::Le(4)));
}

TEST_F(BudgetOfNobody, WhoFillsItNowIsMetAtOnce) {
  Budget large(loop, kMost);
  fill(large);
  turn(70);
  crowd.join(100'000);
  turn();
  EXPECT_EQ(crowd.members.size(), 1u);
}

// Pieces of 100 bytes.
struct Kept final : Reserve {
  std::vector<std::unique_ptr<Share>> pieces;
  void keep(int how_many) {
    for (int i = 0; i < how_many; ++i) pieces.emplace_back(std::make_unique<Share>())->set(100);
  }
  std::size_t held() const override { return pieces.size() * 100; }
  std::size_t let_go(std::size_t bytes) override {
    const std::size_t gone = std::min(pieces.size(), (bytes + 99) / 100);
    pieces.resize(pieces.size() - gone);
    return gone;
  }
};

TEST_F(BudgetTest, WhatIsKeptForThoseAwayGoesBeforeWhoIsHere) {
  Kept one, other;
  one.keep(2);
  other.keep(4);
  crowd.join(410);
  turn();
  EXPECT_EQ(budget.forgotten(), 3u) << "of each the same part";
  EXPECT_EQ(one.pieces.size(), 1u);
  EXPECT_EQ(other.pieces.size(), 2u);
  EXPECT_EQ(budget.evicted(), 0u);
  EXPECT_FALSE(budget.tight());
  crowd.join(800);
  turn(70);
  EXPECT_EQ(budget.forgotten(), 6u);
  EXPECT_THAT(crowd.members, testing::SizeIs(1)) << "was not enough";
}

TEST_F(BudgetTest, WhatIsKeptKeepsNobodyOutForLong) {
  Budget hasty(loop, 1000, 30);
  hasty.watch(crowd);
  Kept kept;
  kept.keep(8);
  crowd.join(100);
  EXPECT_TRUE(hasty.tight());
  turn(100);
  EXPECT_FALSE(hasty.tight());
  EXPECT_EQ(hasty.forgotten(), 2u);
  EXPECT_EQ(crowd.members.size(), 1u);
}

TEST(Budgets, TheNewestCountsAndNoneIsNoBound) {
  net::Loop loop;
  Budget older(loop, 1000);
  {
    Budget none(loop, 0);
    Share share;
    share.set(5000);
    EXPECT_FALSE(none.tight());
    EXPECT_FALSE(older.tight());
  }
  Share share;
  share.set(5000);
  EXPECT_TRUE(older.tight());
}

}  // namespace
}  // namespace limpet::budget
