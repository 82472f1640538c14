// Of one server, and of a cluster: what a user's keys say as sockets come and go on several nodes.
#include <algorithm>
#include <chrono>
#include <random>

#include "tests/unit/presence/world.h"

namespace limpet::presence {
namespace {

struct Users : World {
  std::unique_ptr<redis::Server> server;
  void SetUp() override {
    redis::World::SetUp();
    if (HasFatalFailure()) return;
    server = std::make_unique<redis::Server>();
    look_with(redis::settings_of(server->unix_url()));
  }
};

std::uint64_t wall_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

TEST_F(Users, AreThereOnceTheyHaveConnected) {
  const auto ws1 = node("ws1");
  const std::uint64_t before = wall_ms();
  (*ws1)->connected("ada", "s1");
  ASSERT_TRUE(is("ada", "s1", "ws1", 1));
  const Seen it = seen("ada");
  EXPECT_EQ(it.newest.size(), 4U);
  EXPECT_EQ(it.newest.at("status"), "online");
  const std::uint64_t at = std::stoull(it.newest.at("connectedAt"));
  EXPECT_GE(at, before);
  EXPECT_LE(at, wall_ms());
  EXPECT_EQ(it.sockets.at("s1"), R"({"serverId":"ws1","connectedAt":)" + std::to_string(at) + "}");
  EXPECT_EQ((*ws1)->totals().sockets, 1U);
}

TEST_F(Users, HaveTheirNewestSocketNamedInWhicheverOrderTheyGo) {
  const auto ws1 = node("ws1"), ws2 = node("ws2");
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  (*ws2)->connected("ada", "b");
  ASSERT_TRUE(is("ada", "b", "ws2", 2));
  (*ws1)->connected("ada", "c");
  ASSERT_TRUE(is("ada", "c", "ws1", 3));
  (*ws1)->disconnected("c");  // the newest
  ASSERT_TRUE(is("ada", "b", "ws2", 2));
  (*ws1)->disconnected("a");  // an older one
  ASSERT_TRUE(is("ada", "b", "ws2", 1));
  (*ws2)->disconnected("b");
  EXPECT_TRUE(is_gone("ada"));
}

TEST_F(Users, OfOneMillisecondAreInTheOrderInWhichTheyCame) {
  const auto ws1 = node("ws1");
  for (const char* id : {"z", "y", "x", "w"}) (*ws1)->connected("ada", id);
  ASSERT_TRUE(is("ada", "w", "ws1", 4));
  (*ws1)->disconnected("w");
  ASSERT_TRUE(is("ada", "x", "ws1", 3));
  (*ws1)->disconnected("x");
  EXPECT_TRUE(is("ada", "y", "ws1", 2));
}

TEST_F(Users, WhoCameAndWentInOneTurnLeaveNothing) {
  const auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  (*ws1)->disconnected("a");
  (*ws1)->connected("bob", "b");
  ASSERT_TRUE(is("bob", "b", "ws1", 1));
  EXPECT_EQ(seen("ada"), Seen{});
  (*ws1)->disconnected("nobody");
}

TEST_F(Users, WhoseIdIsAnotherKeysNameDisturbNobody) {
  const auto ws1 = node("ws1");
  (*ws1)->connected("connections", "a");
  (*ws1)->connected("x:sockets", "b");
  (*ws1)->connected("x", "c");
  ASSERT_TRUE(is("x", "c", "ws1", 1));
  const Hash all{{"connections", "ws1"}, {"x:sockets", "ws1"}, {"x", "ws1"}};
  EXPECT_TRUE(becomes([&] { return hash("user:connections") == all; }));
  EXPECT_EQ(hash("user:%63onnections")["socketId"], "a");
  EXPECT_EQ(hash("user:x%3Asockets")["socketId"], "b");
  EXPECT_EQ(hash("user:x%3Asockets:sockets").count("b"), 1U);
  for (const char* id : {"a", "b", "c"}) (*ws1)->disconnected(id);
  EXPECT_TRUE(becomes([&] { return hash("user:connections").empty(); }));
  EXPECT_TRUE(becomes([&] { return hash("user:x%3Asockets:sockets").empty(); }));
}

// With recovery: the older socket of the same id goes after the newer one has come.
TEST_F(Users, WhoseSocketIsThereTwiceStayUntilBothHaveGone) {
  const auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  (*ws1)->connected("ada", "a");
  (*ws1)->disconnected("a");
  (*ws1)->connected("bob", "b");
  ASSERT_TRUE(is("bob", "b", "ws1", 1));
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  (*ws1)->disconnected("a");
  EXPECT_TRUE(is_gone("ada"));
}

TEST_F(Users, WhoseSessionWasRestoredElsewhereStayWhenTheOldNodeLetsGo) {
  const auto ws1 = node("ws1"), ws2 = node("ws2");
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  (*ws2)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws2", 1));
  (*ws1)->disconnected("a");
  ASSERT_TRUE(becomes([&] { return (*ws1)->totals().dropped == 1; }));
  EXPECT_TRUE(is("ada", "a", "ws2", 1));
}

TEST_F(Users, OfADeadNodeWhoAreElsewhereStay) {
  const auto ws1 = node("ws1"), ws2 = node("ws2");
  (*ws1)->connected("ada", "a");
  (*ws1)->connected("bob", "b");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  ASSERT_TRUE(is("bob", "b", "ws1", 1));
  ws1->die();
  (*ws2)->connected("ada", "a");
  EXPECT_TRUE(is_gone("bob"));
  EXPECT_TRUE(becomes([&] { return (*ws2)->totals().nodes_swept == 1; }));
  EXPECT_TRUE(is("ada", "a", "ws2", 1));
}

TEST_F(Users, OfADeadNodeGoWhoStartedAgainUnderItsId) {
  auto ws1 = node("ws1");
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  ws1->die();
  const auto again = node("ws1");
  (*again)->connected("ada", "b");
  ASSERT_TRUE(becomes([&] { return (*again)->totals().nodes_swept == 1; }));
  EXPECT_TRUE(is("ada", "b", "ws1", 1));
  EXPECT_TRUE(becomes([&] { return tell({"SCARD", "limpet:nodes"}) == "1"; }));
}

TEST_F(Users, OfManyAreAllWrittenAndAllRemovedInBoundedSteps) {
  const auto ws1 = node("ws1", 500), ws2 = node("ws2", 500);
  constexpr int kMany = 20'000;
  std::size_t most = 0;
  const auto holds = [&] {
    most = std::max(most, ws1->redis.totals().pending_bytes);
    return ws1->redis.up();
  };
  const auto name = [](const char* kind, int i) { return kind + std::to_string(i); };
  for (int i = 0; i < kMany; ++i) (*ws1)->connected(name("user", i), name("socket", i));
  ASSERT_TRUE(until([&] { return holds() && (*ws1)->totals().written >= kMany; }, 60'000));
  EXPECT_EQ(tell({"HLEN", "user:connections"}), std::to_string(kMany));
  tell({"FLUSHALL"});
  ASSERT_TRUE(becomes([&] {
    return holds() && tell({"HLEN", "user:connections"}) == std::to_string(kMany);
  }));
  EXPECT_LT(most, 4U << 20U);  // of it most where Redis does not know the script yet
  // Half of it by leaving, the rest by death.
  for (int i = 0; i < kMany / 2; ++i) (*ws1)->disconnected(name("socket", i));
  ASSERT_TRUE(becomes([&] { return tell({"HLEN", "user:connections"}) == std::to_string(kMany / 2); }));
  ws1->die();
  ASSERT_TRUE(becomes([&] { return (*ws2)->totals().nodes_swept == 1; }));
  EXPECT_EQ(tell({"DBSIZE"}), "2");  // the set of nodes, and the heartbeat of ws2
}

}  // namespace
}  // namespace limpet::presence
