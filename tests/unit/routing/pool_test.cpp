#include "routing/pool.h"

#include <gtest/gtest.h>

#include "tests/unit/routing/pools.h"

namespace limpet::routing {
namespace {

TEST(Pool, FindsMembersByIdTagAndSerial) {
  const Pool pool(settings(), members(3));
  const Member& second = pool.members()[1];
  EXPECT_EQ(pool.by_id("ws2"), &second);
  EXPECT_EQ(pool.by_tag("aqV2S1-o"), &second);
  EXPECT_EQ(pool.by_serial(second.server->serial), &second);
  EXPECT_EQ(pool.by_id("ws4"), nullptr);
  EXPECT_EQ(pool.by_tag("aaaaaaaa"), nullptr);
  EXPECT_EQ(pool.by_serial(0), nullptr);
}

TEST(Pool, BoundsLoadOnlyWhereSomethingElseHoldsAPollingSession) {
  PoolSettings with = settings();
  EXPECT_TRUE(Pool(with, members(2)).bounds_load());
  with.affinity = {Affinity::cookie, Affinity::source};
  EXPECT_TRUE(Pool(with, members(2)).bounds_load());
  with.affinity = {Affinity::source};
  EXPECT_FALSE(Pool(with, members(2)).bounds_load());
  with = settings();
  with.bounded_load = std::nullopt;
  EXPECT_FALSE(Pool(with, members(2)).bounds_load());
}

TEST(Pool, SeatsAreOfMembersWithAWeight) {
  const Pool pool(settings(), {member("a"), member("b", 0), member("c", 7), backup("d")});
  ASSERT_EQ(pool.seats(false).size(), 2u);
  EXPECT_EQ(pool.seats(false)[1].index, 2u);
  EXPECT_EQ(pool.seats(false)[1].weight, 7.0);
  ASSERT_EQ(pool.seats(true).size(), 1u);
  EXPECT_EQ(pool.seats(true)[0].index, 3u);
}

TEST(Pool, LoadIsOfAllMembers) {
  const Pool pool(settings(), {member("a"), member("b", 0), backup("c")});
  for (const Member& each : pool.members()) {
    for (int i = 0; i < 3; ++i) each.server->load.in_use.begin_request();
    for (int i = 0; i < 2; ++i) each.server->load.in_use.become_tunnel();
  }
  EXPECT_EQ(pool.load(), 9u);
}

TEST(SlowStart, GoesFromATenthToAllOfTheWeight) {
  Server server("p", "a");
  EXPECT_EQ(slow_start_factor(server, 10'000, 500'000), 1.0);
  server.view.slow_start_at_ms = 500'000;
  EXPECT_DOUBLE_EQ(slow_start_factor(server, 10'000, 499'000), 0.1);
  EXPECT_DOUBLE_EQ(slow_start_factor(server, 10'000, 500'000), 0.1);
  EXPECT_DOUBLE_EQ(slow_start_factor(server, 10'000, 505'000), 0.55);
  EXPECT_EQ(slow_start_factor(server, 10'000, 510'000), 1.0);
  EXPECT_EQ(slow_start_factor(server, 10'000, 1'000'000), 1.0);
  EXPECT_EQ(slow_start_factor(server, 0, 500'000), 1.0);
}

}  // namespace
}  // namespace limpet::routing
