// Pools of a hundred servers and more, where not every server is looked at for every request: the answers are
// those that looking at all would give, or late by 10 ms at most.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/unit/routing/pools.h"

namespace limpet::routing {
namespace {

class LargePool : public Choosing {
 protected:
  const Member* begins(const Pool& pool, std::uint32_t from = 1) {
    Ask ask;
    ask.kind = Kind::begins;
    ask.client = client(from);
    ask.now_ms = now;
    return chooser.choose(pool, ask).member;
  }
  std::map<const Member*, int> begin_many(const Pool& pool, int count) {
    std::map<const Member*, int> taken;
    for (int i = 0; i < count; ++i) {
      const Member* member = begins(pool);
      member->server->load.in_use.begin_request();
      ++taken[member];
    }
    return taken;
  }
  // The design's words, server by server in the whole order.
  const Member* first_of_all(const Pool& pool, std::uint32_t from) const {
    const std::vector<const Member*> order = order_of(pool, from);
    double weights = 0;
    for (const Member* each : order) {
      if (each->server->takes_new()) weights += present_weight(pool, *each, now);
    }
    const auto load = static_cast<double>(pool.load() + 1);
    for (const Member* each : order) {
      const double bound =
          std::max(64.0, std::ceil(1.25 * load * present_weight(pool, *each, now) / weights));
      if (each->server->takes_new() && each->server->in_use() <= bound) return each;
    }
    return nullptr;
  }
};

TEST_F(LargePool, TheFirstInOrderThatIsUpAndUnderItsBoundTakesASession) {
  for (const int count : {3, 30, 64, 300}) {
    std::vector<Member> mixed = members(count);
    for (Member& each : mixed) each.weight = 1 + each.server->serial % 3;
    const Pool pool(settings(), mixed);
    Random random{7};
    for (std::uint32_t from = 0; from < 3'000; ++from) {
      now += kKeptMs;
      const Member& member = pool.members()[random.below(pool.members().size())];
      set_load(member, static_cast<std::uint32_t>(random.below(400)));
      set_state(member, random.below(3) == 0 ? State::down : State::up);
      if (const Member* first = first_of_all(pool, from)) {
        ASSERT_EQ(begins(pool, from)->server->id, first->server->id) << count << " " << from;
      }
    }
  }
}

TEST_F(LargePool, WhoIsDownOrFullIsNotChosenWhateverWasKept) {
  for (const Balance balance :
       {Balance::source, Balance::least_connections, Balance::round_robin, Balance::random_two}) {
    const Pool pool(balanced(balance), members(100));
    begins(pool);
    for (std::size_t i = 0; i < 50; ++i) set_state(pool.members()[i], State::down);
    for (std::size_t i = 50; i < 90; ++i) set_wanted(pool.members()[i], Wanted::draining);
    set_load(pool.members()[90], 50'000);
    for (std::uint32_t from = 0; from < 500; ++from) {
      EXPECT_GT(begins(pool, from), &pool.members()[90]) << int(balance);
    }
    for (std::size_t i = 91; i < 100; ++i) set_state(pool.members()[i], State::refusing);
    EXPECT_EQ(begins(pool), nullptr);
    set_state(pool.members()[7], State::suspect);
    set_load(pool.members()[90], 0);
    set_state(pool.members()[90], State::down);
    EXPECT_EQ(begins(pool), &pool.members()[7]) << int(balance);
  }
}

TEST_F(LargePool, TheSumsOfABoundStandForTenMilliseconds) {
  const Pool pool(settings(), members(100));
  for (const Member& each : pool.members()) set_load(each, 100);
  const Member& first = *begins(pool);
  set_load(first, 130);  // 1.25 * 10031 / 100 = 125.4
  EXPECT_NE(begins(pool), &first);
  for (std::size_t i = 0; i < 100; i += 2) set_load(pool.members()[i], 200);
  EXPECT_NE(begins(pool), &first);
  now += 10;  // 1.25 * 15031 / 100 = 187.9, or less by one server
  set_load(first, 180);
  EXPECT_EQ(begins(pool), &first);
}

TEST_F(LargePool, LeastConnectionsLevelsALoad) {
  const Pool pool(balanced(Balance::least_connections), members(100));
  for (std::size_t i = 0; i < 50; ++i) set_load(pool.members()[i], 10);
  const auto taken = begin_many(pool, 1'000);  // 500 to bring all to 10, then 5 each
  for (const Member& each : pool.members()) EXPECT_EQ(each.server->in_use(), 15u) << each.server->id;
  EXPECT_EQ(taken.size(), 100u);
}

TEST_F(LargePool, LeastConnectionsSeesWhatOtherWorkersChose) {
  const Pool pool(balanced(Balance::least_connections), members(64));
  Chooser other(sids, 2);
  Ask ask;
  ask.kind = Kind::begins;
  ask.now_ms = now;
  for (int i = 0; i < 320; ++i) {
    begins(pool)->server->load.in_use.begin_request();
    other.choose(pool, ask).member->server->load.in_use.begin_request();
  }
  for (const Member& each : pool.members()) EXPECT_NEAR(each.server->in_use(), 10, 1);
}

TEST_F(LargePool, LeastConnectionsLearnsOfWhoBecameFreeWithinTenMilliseconds) {
  const Pool pool(balanced(Balance::least_connections), members(100));
  for (const Member& each : pool.members()) set_load(each, 10);
  begins(pool);
  set_load(pool.members()[3], 0);
  now += 10;
  EXPECT_EQ(begins(pool), &pool.members()[3]);
}

TEST_F(LargePool, RoundRobinGivesEachOneTurnInEveryRound) {
  const Pool pool(balanced(Balance::round_robin), members(100));
  for (int round = 0; round < 20; ++round) {
    now += 7;
    EXPECT_EQ(begin_many(pool, 100).size(), 100u) << round;
  }
}

TEST_F(LargePool, RoundRobinSkipsWhoIsAwayAndTakesHimBackWithoutARush) {
  const Pool pool(balanced(Balance::round_robin), members(100));
  begin_many(pool, 1'000);
  set_state(pool.members()[5], State::down);
  now += 10;
  EXPECT_EQ(begin_many(pool, 990).count(&pool.members()[5]), 0u);
  set_state(pool.members()[5], State::up);
  now += 10;
  EXPECT_NEAR(begin_many(pool, 1'000).at(&pool.members()[5]), 10, 1);
}

TEST_F(LargePool, BalanceGoesByPresentWeight) {
  for (const Balance balance : {Balance::least_connections, Balance::round_robin, Balance::random_two}) {
    std::vector<Member> weighted = members(100);
    for (std::size_t i = 0; i < 100; ++i) weighted[i].weight = i < 50 ? 10 : 30;
    const Pool pool(balanced(balance), weighted);
    pool.members()[99].server->view.slow_start_at_ms = now;  // 3 of the 1973
    const auto taken = begin_many(pool, 197'300);
    int light = 0;
    for (std::size_t i = 0; i < 50; ++i) light += taken.at(&pool.members()[i]);
    EXPECT_NEAR(light, 50'000, 500) << int(balance);
    EXPECT_NEAR(taken.at(&pool.members()[99]), 300, 40) << int(balance);
    EXPECT_NEAR(taken.at(&pool.members()[0]), 1'000, 60) << int(balance);
  }
}

TEST_F(LargePool, RandomTwoTakesTheLessLoaded) {
  const Pool pool(balanced(Balance::random_two), members(100));
  for (std::size_t i = 0; i < 50; ++i) set_load(pool.members()[i], 10);
  int loaded = 0;
  for (int i = 0; i < 10'000; ++i) loaded += begins(pool) < &pool.members()[50] ? 1 : 0;
  EXPECT_NEAR(loaded, 2'475, 200);  // both of the pair are
}

TEST_F(LargePool, ASecondTryGoesElsewhereUnderEveryBalance) {
  for (const Balance balance : {Balance::least_connections, Balance::round_robin, Balance::random_two}) {
    const Pool pool(balanced(balance), members(100));
    for (std::size_t i = 2; i < 100; ++i) set_state(pool.members()[i], State::down);
    const Server* tried[] = {pool.members()[0].server.get()};
    Ask ask;
    ask.kind = Kind::begins;
    ask.now_ms = now;
    ask.not_these = tried;
    for (int i = 0; i < 20; ++i) EXPECT_EQ(chooser.choose(pool, ask).member, &pool.members()[1]);
  }
}

TEST(Seats, AreFoundByTheirShareOfTheWeights) {
  const Pool pool(settings(), {member("a", 3), member("b", 0), member("c", 1), backup("d")});
  EXPECT_EQ(pool.members()[pool.seat_at(0.001).index].server->id, "c");
  EXPECT_EQ(pool.members()[pool.seat_at(0.249).index].server->id, "c");
  EXPECT_EQ(pool.members()[pool.seat_at(0.251).index].server->id, "a");
  EXPECT_EQ(pool.members()[pool.seat_at(0.999).index].server->id, "a");
}

}  // namespace
}  // namespace limpet::routing
