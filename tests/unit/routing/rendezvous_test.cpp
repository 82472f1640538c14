// The properties of the order that source hashing gives, shown on the path that requests take.
#include "routing/rendezvous.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/unit/routing/pools.h"

namespace limpet::routing {
namespace {

constexpr std::uint32_t kKeys = 1'000'000;

class Rendezvous : public testing::Test {
 protected:
  const std::string& first(const Pool& pool, std::uint32_t key) {
    Ask ask;
    ask.client = client(key);
    return chooser_.choose(pool, ask).member->server->id;
  }
  static std::vector<std::string> order(const Pool& pool, std::uint32_t key) {
    std::vector<const Member*> found;
    rendezvous_order(pool, client(key), found);
    std::vector<std::string> ids;
    for (const Member* each : found) ids.push_back(each->server->id);
    return ids;
  }

 private:
  SidTable sids_{1000};
  Chooser chooser_{sids_, 1};
};

TEST_F(Rendezvous, RemovingOneOfNMovesOnlyItsOwnKeys) {
  std::vector<Member> five = members(5);
  const Pool before(settings(), five);
  five.erase(five.begin() + 2);
  const Pool after(settings(), five);
  std::uint32_t moved = 0;
  for (std::uint32_t key = 0; key < kKeys; ++key) {
    const std::string& was = first(before, key);
    const std::string& is = first(after, key);
    if (was == "ws3") {
      ++moved;
    } else {
      ASSERT_EQ(was, is) << key;
    }
  }
  EXPECT_NEAR(moved, kKeys / 5.0, kKeys * 0.01);
}

TEST_F(Rendezvous, AddingOneMovesItsShareAndOnlyToIt) {
  const Pool before(settings(), members(5));
  const Pool after(settings(), members(6));
  std::uint32_t moved = 0;
  for (std::uint32_t key = 0; key < kKeys; ++key) {
    const std::string& was = first(before, key);
    const std::string& is = first(after, key);
    if (was == is) continue;
    ASSERT_EQ(is, "ws6") << key;
    ++moved;
  }
  EXPECT_NEAR(moved, kKeys / 6.0, kKeys * 0.01);
}

TEST_F(Rendezvous, WeightsHoldWithinTwoPercent) {
  const std::map<std::string, double> weights{{"a", 1}, {"b", 2}, {"c", 3}, {"d", 10}, {"e", 4}};
  std::vector<Member> weighted;
  for (const auto& [id, weight] : weights) weighted.push_back(member(id, static_cast<std::uint32_t>(weight)));
  weighted.push_back(member("none", 0));
  const Pool pool(settings(), weighted);
  std::map<std::string, std::uint32_t> counts;
  for (std::uint32_t key = 0; key < kKeys; ++key) ++counts[first(pool, key)];
  for (const auto& [id, weight] : weights) {
    const double due = kKeys * weight / 20.0;
    EXPECT_NEAR(counts[id], due, due * 0.02) << id;
  }
  EXPECT_EQ(counts.count("none"), 0u);
}

TEST_F(Rendezvous, RaisingOneWeightTakesKeysAndGivesNoneAway) {
  std::vector<Member> three = members(3);
  const Pool before(settings(), three);
  three[1].weight = 2;
  const Pool after(settings(), three);
  for (std::uint32_t key = 0; key < kKeys / 10; ++key) {
    const std::string& was = first(before, key);
    const std::string& is = first(after, key);
    if (was != is) {
      ASSERT_EQ(is, "ws2") << key;
    }
  }
}

TEST_F(Rendezvous, PoolsInAnyOrderGiveTheSameAnswers) {
  std::vector<Member> mixed;
  for (int i = 0; i < 20; ++i) mixed.push_back(member("node-" + std::to_string(i), 1 + i % 3));
  const Pool one(settings(), mixed);
  std::vector<Member> other;  // other Server objects, as in another process
  for (const Member& each : mixed) other.push_back(member(each.server->id, each.weight));
  std::shuffle(other.begin(), other.end(), std::mt19937(7));
  const Pool two(settings(), other);
  for (std::uint32_t key = 0; key < kKeys; ++key) ASSERT_EQ(first(one, key), first(two, key)) << key;
  for (std::uint32_t key = 0; key < 2'000; ++key) ASSERT_EQ(order(one, key), order(two, key)) << key;
}

// Written down once: an upgrade of limpet, a compiler or a machine that gives another order scatters every
// session that hashing holds between an old proxy and a new one.
TEST_F(Rendezvous, TheOrderIsTheSameForever) {
  using Ids = std::vector<std::string>;
  const Pool pool(settings(), {member("ws1"), member("ws2"), member("ws3"), member("ws4", 3)});
  EXPECT_EQ(order(pool, 0), (Ids{"ws4", "ws2", "ws3", "ws1"}));
  EXPECT_EQ(order(pool, 1), (Ids{"ws4", "ws1", "ws3", "ws2"}));
  EXPECT_EQ(order(pool, 2), (Ids{"ws2", "ws4", "ws1", "ws3"}));
  EXPECT_EQ(order(pool, 0xffffff), (Ids{"ws3", "ws1", "ws2", "ws4"}));
}

TEST_F(Rendezvous, TheFirstOfTheOrderIsWhoIsChosen) {
  std::vector<Member> mixed;
  for (int i = 0; i < 50; ++i) mixed.push_back(member("n" + std::to_string(i), 1 + i % 4));
  const Pool pool(settings(), mixed);
  for (std::uint32_t key = 0; key < 20'000; ++key)
    ASSERT_EQ(order(pool, key).front(), first(pool, key)) << key;
}

TEST_F(Rendezvous, AnotherSeedGivesAnotherOrder) {
  PoolSettings other = settings();
  other.seed = seed_of("secret");
  const Pool one(settings(), members(10)), two(other, members(10));
  int same = 0;
  for (std::uint32_t key = 0; key < 10'000; ++key) same += first(one, key) == first(two, key) ? 1 : 0;
  EXPECT_NEAR(same, 1000, 200);
}

TEST_F(Rendezvous, KeysOfALostServerSpreadOverAllOthers) {
  std::vector<Member> five = members(5);
  const Pool pool(settings(), five);
  std::map<std::string, int> second;
  for (std::uint32_t key = 0; key < 100'000; ++key) {
    const auto ids = order(pool, key);
    if (ids[0] == "ws1") ++second[ids[1]];
  }
  ASSERT_EQ(second.size(), 4u);
  for (const auto& [id, count] : second) EXPECT_NEAR(count, 5'000, 400) << id;
}

TEST(Fraction, IsNeverNothingOrAll) {
  EXPECT_GT(as_fraction(0), 0.0);
  EXPECT_LT(as_fraction(~std::uint64_t{0}), 1.0);
}

}  // namespace
}  // namespace limpet::routing
