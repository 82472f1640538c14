// What Redis may do to presence, and others in Redis.
#include "tests/unit/presence/world.h"

namespace limpet::presence {
namespace {

struct Faults : World {
  std::unique_ptr<redis::Server> server;
  void SetUp() override {
    redis::World::SetUp();
    if (HasFatalFailure()) return;
    server = std::make_unique<redis::Server>();
    look_with(redis::hasty(redis::settings_of(server->unix_url())));
  }
  std::string life() {
    std::string name;
    EXPECT_TRUE(becomes([&] { return !(name = tell({"SRANDMEMBER", "limpet:nodes"})).empty(); }));
    return name;
  }
};

TEST_F(Faults, WhatWasFlushedIsWrittenAgain) {
  const auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  (*ws1)->connected("ada", "b");
  ASSERT_TRUE(is("ada", "b", "ws1", 2));
  tell({"FLUSHALL"});
  EXPECT_TRUE(is("ada", "b", "ws1", 2));
  EXPECT_GE((*ws1)->totals().repairs, 1U);
}

TEST_F(Faults, WhatIsMissingOfOursIsNoticed) {
  const auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  const std::string mine = "limpet:nodes:{" + life() + "}:sockets";
  tell({"DEL", mine, "user:ada", "user:ada:sockets", "user:connections"});
  EXPECT_TRUE(is("ada", "a", "ws1", 1));
}

TEST_F(Faults, AServerThatStartsEmptyIsFilledAgain) {
  const auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  server->end();
  ASSERT_TRUE(until([&] { return !ws1->redis.up(); }));
  (*ws1)->connected("bob", "b");
  (*ws1)->disconnected("a");
  server->start();
  ASSERT_TRUE(until([&] { return ws1->redis.up() && eye->up(); }));
  EXPECT_TRUE(is("bob", "b", "ws1", 1));
  EXPECT_EQ(seen("ada"), Seen{});
}

TEST_F(Faults, WhatWasWrittenLateIsNotTheNewestForThat) {
  const auto ws1 = node("ws1"), ws2 = node("ws2");
  server->end();
  ASSERT_TRUE(until([&] { return !ws1->redis.up() && !ws2->redis.up(); }));
  (*ws1)->connected("ada", "older");
  const std::uint64_t later = net::now_ms() + 2'100;
  until([&] { return net::now_ms() > later; });
  (*ws2)->connected("ada", "newer");
  server->start();
  ASSERT_TRUE(until([&] { return ws1->redis.up() && ws2->redis.up() && eye->up(); }));
  EXPECT_TRUE(is("ada", "newer", "ws2", 2));
  EXPECT_TRUE(becomes([&] { return (*ws1)->totals().waiting + (*ws2)->totals().waiting == 0; }));
  EXPECT_TRUE(is("ada", "newer", "ws2", 2));
}

TEST_F(Faults, WhoWentWhileTheLinkWasLostIsTakenOut) {
  const auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  (*ws1)->connected("bob", "b");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  ASSERT_TRUE(is("bob", "b", "ws1", 1));
  server->freeze();
  ASSERT_TRUE(until([&] { return !ws1->redis.up(); }));
  (*ws1)->disconnected("a");
  server->thaw();
  ASSERT_TRUE(until([&] { return ws1->redis.up() && eye->up(); }));
  EXPECT_TRUE(is_gone("ada"));
  EXPECT_TRUE(is("bob", "b", "ws1", 1));
}

// As after a partition: others have cleared up after it.
TEST_F(Faults, ANodeThatWasTakenForDeadWritesItsSocketsAgain) {
  const auto ws1 = node("ws1", 2'000), ws2 = node("ws2", 40);
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  std::string other;
  ASSERT_TRUE(becomes([&] { return (other = tell({"SRANDMEMBER", "limpet:nodes"})).starts_with("ws1/"); }));
  ASSERT_TRUE(becomes([&] {  // its own next beat may be first
    tell({"DEL", "limpet:nodes:{" + other + "}:alive"});
    return (*ws2)->totals().sockets_swept > 0;
  }));
  EXPECT_TRUE(is("ada", "a", "ws1", 1));
  EXPECT_TRUE(becomes([&] { return tell({"SISMEMBER", "limpet:nodes", other}) == "1"; }));
}

TEST_F(Faults, ANodeWithAHeartbeatIsNotSwept) {
  const auto ws1 = node("ws1"), ws2 = node("ws2");
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  const std::uint64_t enough = net::now_ms() + 600;  // some expiries of a heartbeat, some looks
  until([&] { return net::now_ms() > enough; });
  EXPECT_EQ((*ws1)->totals().nodes_swept + (*ws2)->totals().nodes_swept, 0U);
  EXPECT_EQ((*ws1)->totals().repairs, 0U);
  EXPECT_TRUE(is("ada", "a", "ws1", 1));
}

// Its link is there, but takes nothing more for a while.
TEST_F(Faults, WhatCouldNotBeTakenOutIsLookedForAgain) {
  link.max_pending_bytes = 20'000;
  const auto ws1 = node("ws1", 200);
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  server->freeze();
  const auto refused = std::make_shared<bool>(false);
  while (!*refused) {
    ws1->redis.command({"ECHO", "x"},
                       [refused](const redis::Result& result) { *refused = *refused || !result.ok(); });
  }
  const std::uint64_t failed = (*ws1)->totals().failed;
  (*ws1)->disconnected("a");
  ASSERT_TRUE(until([&] { return (*ws1)->totals().failed > failed; }));
  const std::uint64_t later = net::now_ms() + 250;  // a beat
  until([&] { return net::now_ms() > later; });
  server->thaw();
  EXPECT_TRUE(is_gone("ada"));
}

TEST_F(Faults, ScriptsThatRedisHasForgottenAreGivenAgainInOrder) {
  const auto ws1 = node("ws1");
  for (int i = 0; i < 50; ++i) {
    tell({"SCRIPT", "FLUSH"});
    (*ws1)->connected("ada", "a" + std::to_string(i));
    if (i > 0) (*ws1)->disconnected("a" + std::to_string(i - 1));
  }
  EXPECT_TRUE(is("ada", "a49", "ws1", 1));
}

TEST_F(Faults, KeysOfAnotherKindHarmOnlyTheirUser) {
  tell({"SET", "user:ada", "not a hash"});
  tell({"SET", "user:bob:sockets", "neither"});
  const auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  (*ws1)->connected("bob", "b");
  (*ws1)->connected("eve", "e");
  ASSERT_TRUE(is("eve", "e", "ws1", 1));
  ASSERT_TRUE(becomes([&] { return (*ws1)->totals().failed >= 2 && (*ws1)->totals().waiting == 2; }));
  tell({"DEL", "user:ada", "user:bob:sockets"});
  EXPECT_TRUE(is("ada", "a", "ws1", 1));
  EXPECT_TRUE(is("bob", "b", "ws1", 1));
}

TEST_F(Faults, EntriesThatAreNoneAreNobodysNewest) {
  tell({"HSET", "user:ada:sockets", "x", "{", "y", "7", "z", R"({"serverId":7})", "w",
        R"({"serverId":"ws9","connectedAt":"soon"})"});
  tell({"HSET", "user:ada", "socketId", "x", "connectedAt", "yesterday"});
  const auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 5));
  (*ws1)->disconnected("a");
  EXPECT_TRUE(is("ada", "w", "ws9", 4));  // the one that can be read
}

TEST_F(Faults, LivesThatAreNoneAreClearedAway) {
  tell({"SADD", "limpet:nodes", "", "x", "{}", "ws9/gone"});
  tell({"HSET", "limpet:nodes:{ws9/gone}:sockets", "s", "no member", "t", "", "u", "17 ada", "v", "17 "});
  tell({"HSET", "user:ada:sockets", "u", R"({"serverId":"ws9","connectedAt":17})"});
  tell({"SET", "user:", "somebody's"});
  const auto ws1 = node("ws1");
  EXPECT_TRUE(becomes([&] { return tell({"EXISTS", "limpet:nodes:{ws9/gone}:sockets"}) == "0"; }));
  EXPECT_TRUE(is_gone("ada"));
  EXPECT_TRUE(becomes([&] { return tell({"SISMEMBER", "limpet:nodes", "x"}) == "0"; }));
  EXPECT_EQ(tell({"GET", "user:"}), "somebody's");
}

TEST_F(Faults, WhoClearsUpForLongKeepsItsTurn) {
  const std::string claim = "limpet:nodes:{ws9/gone}:sweeper";
  tell({"EVAL", "for i = 1, 50000 do redis.call('HSET', KEYS[1], 's' .. i, '17 u' .. i) end", "1",
        "limpet:nodes:{ws9/gone}:sockets"});
  tell({"SADD", "limpet:nodes", "ws9/gone"});
  const auto ws1 = node("ws1");
  ASSERT_TRUE(becomes([&] { return tell({"PEXPIRE", claim, "5000"}) == "1"; }));
  EXPECT_TRUE(becomes([&] { return std::stoll(tell({"PTTL", claim})) > 5'000; }));
  EXPECT_EQ((*ws1)->totals().nodes_swept, 0U);
}

TEST_F(Faults, ASetOfNodesThatIsNoneIsNoEnd) {
  tell({"SET", "limpet:nodes", "x"});
  const auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  EXPECT_TRUE(is("ada", "a", "ws1", 1));
}

TEST_F(Faults, LeavingTakesEverythingOut) {
  const auto ws1 = node("ws1"), ws2 = node("ws2");
  for (int i = 0; i < 2'000; ++i) (*ws1)->connected("u" + std::to_string(i % 500), "s" + std::to_string(i));
  (*ws2)->connected("u1", "other");
  ASSERT_TRUE(becomes([&] { return tell({"HLEN", "user:connections"}) == "500"; }));
  bool left = false;
  (*ws1)->leave([&] { left = true; });
  ASSERT_TRUE(until([&] { return left; }));
  EXPECT_EQ(hash("user:connections"), (Hash{{"u1", "ws2"}}));
  EXPECT_TRUE(is("u1", "other", "ws2", 1));
  EXPECT_EQ(tell({"SCARD", "limpet:nodes"}), "1");
  (*ws1)->connected("late", "l");
  (*ws1)->disconnected("s1");
  EXPECT_EQ((*ws1)->totals().sockets, 0U);
}

TEST_F(Faults, LeavingWithoutRedisIsSoonOver) {
  const auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  server->end();
  ASSERT_TRUE(until([&] { return !ws1->redis.up(); }));
  int left = 0;
  (*ws1)->leave([&] { ++left; });
  EXPECT_TRUE(until([&] { return left > 0; }));
}

}  // namespace
}  // namespace limpet::presence
