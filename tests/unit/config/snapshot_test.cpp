// Snapshots one after another, as reloads make them: who stays, who leaves, who comes back.
#include "proxy/config/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/config/load.h"

namespace limpet::config {
namespace {

using routing::Wanted;
using testing::ElementsAre;

std::shared_ptr<const Config> with(const std::string& servers) {
  Loaded loaded =
      load_text("[[listener]]\naddress = \"127.0.0.1:0\"\n[pool.ws]\nservers = [" + servers + "]\n", "f");
  EXPECT_TRUE(loaded.problems.empty()) << loaded.problems[0].message;
  return loaded.config;
}

constexpr const char* kBoth = R"("a=127.0.0.1:1", "b=127.0.0.1:2")";
constexpr const char* kFirst = R"("a=127.0.0.1:1")";

std::vector<std::string> ids(const Snapshot& snapshot) {
  std::vector<std::string> out;
  for (const routing::Member& each : snapshot.pools[0]->routing.members()) out.push_back(each.server->id);
  return out;
}
const routing::Member& member(const Snapshot& snapshot, std::string_view id) {
  return *snapshot.pools[0]->routing.by_id(id);
}
IsGone gone(const std::string& id) {
  return [id](const routing::Server& server) { return server.id == id; };
}

TEST(Snapshots, ServersTargetsAndSharedPartsAreKept) {
  const auto before = build_snapshot(with(kBoth), nullptr);
  const auto after = build_snapshot(
      with(
          R"({ id = "b", address = "127.0.0.1:2", weight = 7, max_connections = 9, backup = true }, "c=127.0.0.1:3",
"a=127.0.0.1:1")"),
      before.get());
  EXPECT_THAT(ids(*after), ElementsAre("b", "c", "a"));
  for (const char* id : {"a", "b"}) {
    EXPECT_EQ(member(*after, id).server, member(*before, id).server);
    EXPECT_EQ(after->pools[0]->target_of(member(*after, id)),
              before->pools[0]->target_of(member(*before, id)));
  }
  EXPECT_EQ(member(*after, "b").weight, 7u);
  EXPECT_EQ(member(*after, "b").max_connections, 9u);
  EXPECT_TRUE(member(*after, "b").backup);
  EXPECT_EQ(after->pools[0]->shared, before->pools[0]->shared);
  EXPECT_NE(after->pools[0]->routing.serial(), before->pools[0]->routing.serial());
  EXPECT_TRUE(after->pools[0]->leaving().empty());
}

TEST(Snapshots, WhoIsElsewhereNowHasATargetOfItsOwn) {
  const auto before = build_snapshot(with(kFirst), nullptr);
  const auto after = build_snapshot(with(R"("a=127.0.0.1:9")"), before.get());
  const auto& was = before->pools[0]->targets[0];
  const auto& is = after->pools[0]->targets[0];
  EXPECT_EQ(member(*after, "a").server, member(*before, "a").server);
  EXPECT_NE(is, was);
  EXPECT_NE(is->version(), was->version()) << "what a worker remembers by version is not mistaken for it";
  EXPECT_EQ(is->addresses()->at(0).text(), "127.0.0.1:9");
}

TEST(Snapshots, WhoMovesIsWhereItWasUntilItMay) {
  const auto before = build_snapshot(with(kFirst), nullptr);
  const auto no = [](const routing::Server&, const net::Target&) { return false; };
  const auto moving = build_snapshot(with(R"("a=127.0.0.1:9")"), before.get(), {}, no);
  const PoolEntry& pool = *moving->pools[0];
  EXPECT_EQ(pool.targets[0], before->pools[0]->targets[0]);
  EXPECT_EQ(pool.addresses[0].text(), "127.0.0.1:1");
  ASSERT_EQ(pool.moving.size(), 1u);
  const Move move = pool.moving[0];
  EXPECT_EQ(move.server, member(*before, "a").server);
  EXPECT_EQ(move.target->addresses()->at(0).text(), "127.0.0.1:9");

  const auto still = build_snapshot(with(R"("a=127.0.0.1:9")"), moving.get(), {}, no);
  ASSERT_EQ(still->pools[0]->moving.size(), 1u);
  EXPECT_EQ(still->pools[0]->moving[0].target, move.target) << "a way that has begun goes on";
  const auto elsewhere = build_snapshot(with(R"("a=127.0.0.1:8")"), still.get(), {}, no);
  EXPECT_NE(elsewhere->pools[0]->moving.at(0).target, move.target);
  EXPECT_TRUE(build_snapshot(with(kFirst), still.get(), {}, no)->pools[0]->moving.empty());
  EXPECT_TRUE(build_snapshot(with(R"("b=127.0.0.1:2")"), still.get(), {}, no)->pools[0]->moving.empty());

  const auto there = build_snapshot(
      with(R"("a=127.0.0.1:9")"), still.get(), {},
      [&move](const routing::Server&, const net::Target& to) { return &to == move.target.get(); });
  EXPECT_EQ(there->pools[0]->targets[0], move.target);
  EXPECT_EQ(there->pools[0]->addresses[0].text(), "127.0.0.1:9");
  EXPECT_TRUE(there->pools[0]->moving.empty());
}

TEST(Snapshots, WhoLeavesHasItsWeightForLaterUnlessAnOperatorTookIt) {
  for (const auto& [wanted, weight] : {std::pair(Wanted::serving, 1u), {Wanted::draining, 0u}}) {
    const auto before = build_snapshot(with(kBoth), nullptr);
    EXPECT_EQ(member(*before, "b").leaving_weight, 0u);
    member(*before, "b").server->view.wanted = wanted;
    const auto without = build_snapshot(with(kFirst), before.get());
    EXPECT_EQ(without->pools[0]->leaving()[0].leaving_weight, weight);
    const auto still = build_snapshot(with(kFirst), without.get());
    EXPECT_EQ(still->pools[0]->leaving()[0].leaving_weight, weight);
    const auto again = build_snapshot(with(kBoth), still.get());
    EXPECT_EQ(member(*again, "b").leaving_weight, 0u);
  }
}

TEST(Snapshots, WhoIsRemovedLeavesWithoutAWeightUntilItIsGone) {
  const auto before = build_snapshot(with(kBoth), nullptr);
  const auto without = build_snapshot(with(kFirst), before.get());
  EXPECT_THAT(ids(*without), ElementsAre("a", "b"));
  ASSERT_EQ(without->pools[0]->leaving().size(), 1u);
  const routing::Member& leaving = without->pools[0]->leaving()[0];
  EXPECT_EQ(leaving.server, member(*before, "b").server);
  EXPECT_EQ(leaving.weight, 0u);
  EXPECT_EQ(leaving.server->wanted(), Wanted::leaving);
  EXPECT_EQ(without->pools[0]->target_of(leaving), before->pools[0]->targets[1]);

  const auto still = build_snapshot(with(kFirst), without.get());
  EXPECT_EQ(still->pools[0]->leaving().size(), 1u);
  const auto at_last = build_snapshot(with(kFirst), still.get(), gone("b"));
  EXPECT_THAT(ids(*at_last), ElementsAre("a"));
}

TEST(Snapshots, WhoComesBackIsWhoItWas) {
  const auto before = build_snapshot(with(kBoth), nullptr);
  const auto b = member(*before, "b").server;
  b->load.requests_total = 5;
  b->view.wanted = Wanted::draining;  // an operator's word, for the one that is removed
  const auto without = build_snapshot(with(kFirst), before.get());
  const auto again = build_snapshot(with(kBoth), without.get());
  EXPECT_EQ(member(*again, "b").server, b);
  EXPECT_EQ(b->wanted(), Wanted::serving);
  EXPECT_EQ(member(*again, "b").weight, 1u);
  EXPECT_EQ(again->pools[0]->target_of(member(*again, "b")), before->pools[0]->targets[1]);
  EXPECT_EQ(b->load.requests_total, 5u);
}

TEST(Snapshots, AnOperatorsWordOnWhoStaysIsKept) {
  const auto before = build_snapshot(with(kBoth), nullptr);
  member(*before, "b").server->view.wanted = Wanted::draining;
  const auto after = build_snapshot(with(kBoth), before.get());
  EXPECT_EQ(member(*after, "b").server->wanted(), Wanted::draining);
}

// Its tunnels hold it: what it has in use counts on.
TEST(Snapshots, WhoIsGoneAndStillHeldComesBackAsItself) {
  auto before = build_snapshot(with(kBoth), nullptr);
  const auto held = member(*before, "b").server;
  held->load.in_use.begin_request();
  auto without = build_snapshot(with(kFirst), before.get(), gone("b"));
  before.reset();
  without = build_snapshot(with(kFirst), without.get());  // remembered from one to the next
  const auto again = build_snapshot(with(kBoth), without.get());
  EXPECT_EQ(member(*again, "b").server, held);
  EXPECT_EQ(held->wanted(), Wanted::serving);
  EXPECT_EQ(held->in_use(), 1u);
  EXPECT_TRUE(again->pools[0]->gone.empty());
}

TEST(Snapshots, WhoIsGoneAndHeldByNobodyIsForgotten) {
  auto before = build_snapshot(with(kBoth), nullptr);
  const std::uint32_t serial = member(*before, "b").server->serial;
  auto without = build_snapshot(with(kFirst), before.get(), gone("b"));
  before.reset();
  without = build_snapshot(with(kFirst), without.get());
  EXPECT_TRUE(without->pools[0]->gone.empty());
  const auto again = build_snapshot(with(kBoth), without.get());
  EXPECT_NE(member(*again, "b").server->serial, serial);
}

TEST(Snapshots, TheOldOneStaysWholeForWhoHoldsIt) {
  auto before = build_snapshot(with(kBoth), nullptr);
  auto after = build_snapshot(with(kFirst), before.get(), gone("b"));
  after = build_snapshot(with(kBoth), after.get());
  after.reset();
  EXPECT_THAT(ids(*before), ElementsAre("a", "b"));
  EXPECT_EQ(before->pools[0]->settings.servers.size(), 2u);
  EXPECT_EQ(before->pools[0]->routing.by_serial(member(*before, "b").server->serial), &member(*before, "b"));
}

}  // namespace
}  // namespace limpet::config
