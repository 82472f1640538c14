// A real cluster of three masters: slots that move, masters that die, channels that move with their slot.
#include <algorithm>
#include <optional>

#include "backend/redis/slots.h"
#include "tests/unit/redis/cluster_servers.h"
#include "tests/unit/redis/world.h"

namespace limpet::redis {
namespace {

struct Clusters : World {
  std::optional<ClusterServers> cluster;

  void SetUp() override {
    World::SetUp();
    if (!HasFatalFailure()) create(3, 0);
  }
  void create(int count, int replicas) {
    cluster.reset();
    cluster.emplace(count, replicas, 1'000);
  }
  std::string url(std::size_t seed = 0) const { return cluster->url(seed); }
  std::string id(Server& server) const { return server({"CLUSTER", "MYID"}); }
  Server& owner_of(std::uint16_t slot) {
    for (const auto& each : cluster->all) {
      const std::string port = std::to_string(each->port),
                        slots = (*each)({"CLUSTER", "COUNTKEYSINSLOT", "0"});
      const std::string self = (*each)({"CLUSTER", "NODES"});
      const std::size_t at = self.find("myself,master");
      if (at == std::string::npos) continue;
      std::string line = self.substr(at, self.find('\n', at) - at);
      line = line.substr(line.find("connected") + 9);
      for (std::size_t i = 0; i < line.size();) {
        i = line.find_first_of("0123456789[", i);
        if (i == std::string::npos || line[i] == '[') break;
        std::size_t end = line.find(' ', i);
        const std::string range = line.substr(i, end - i);
        const int first = std::stoi(range);
        const std::size_t dash = range.find('-');
        const int last = dash == std::string::npos ? first : std::stoi(range.substr(dash + 1));
        if (slot >= first && slot <= last) return *each;
        i = end == std::string::npos ? line.size() : end;
      }
    }
    throw std::runtime_error("no owner");
  }
  Server& other_than(const Server& server) {
    return *std::ranges::find_if(cluster->all, [&](const auto& each) {
              return each.get() != &server;
            })->get();
  }
  void begin_moving(std::uint16_t slot, Server& from, Server& to) {
    const std::string text = std::to_string(slot);
    ASSERT_EQ(to({"CLUSTER", "SETSLOT", text, "IMPORTING", id(from)}), "OK");
    ASSERT_EQ(from({"CLUSTER", "SETSLOT", text, "MIGRATING", id(to)}), "OK");
  }
  void end_moving(std::uint16_t slot, Server& to) {
    ASSERT_EQ(to({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", id(to)}), "OK");
    for (const auto& each : cluster->all) {
      if (each.get() != &to) (*each)({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", id(to)});
    }
  }
};

TEST_F(Clusters, CommandsGoToTheOwnerOfTheirKey) {
  const auto redis = connect(hasty(settings_of(url())));
  EXPECT_TRUE(told("connected to a cluster of 3 masters"));
  for (int i = 0; i < 50; ++i) {
    const std::string key = "key" + std::to_string(i);
    EXPECT_EQ(ask(*redis, {"SET", key, key}, key), "OK");
    EXPECT_EQ(ask(*redis, {"GET", key}, key), key);
  }
  int holders = 0;
  for (const auto& each : cluster->all) holders += (*each)({"DBSIZE"}) != "0";
  EXPECT_EQ(holders, 3);
  EXPECT_EQ(redis->totals().commands, 100u);
  EXPECT_EQ(redis->totals().failed, 0u);
}

TEST_F(Clusters, TransactionsStayTogether) {
  const auto redis = connect(hasty(settings_of(url())));
  Answer answer;
  redis->transaction({{"SET", "k", "v"}, {"GET", "k"}, {"DEL", "k"}}, answer.take(), "k");
  ASSERT_TRUE(until([&] { return answer.done(); }));
  EXPECT_EQ(answer.text, "OK v 1");
}

TEST_F(Clusters, ASeedThatIsDeadIsPassedOver) {
  const auto settings = settings_of("redis+cluster://127.0.0.1:" + std::to_string(free_port()) +
                                    ",127.0.0.1:" + std::to_string(cluster->all[1]->port));
  EXPECT_EQ(ask(*connect(hasty(settings)), {"SET", "a", "b"}, "a"), "OK");
}

TEST_F(Clusters, AServerThatIsInNoClusterIsSaid) {
  Server alone;
  const auto redis = begin(hasty(settings_of("redis+cluster://127.0.0.1:" + std::to_string(alone.port))));
  EXPECT_TRUE(until([&] { return told("cluster support disabled"); }));
  const auto single =
      connect(hasty(settings_of("redis://127.0.0.1:" + std::to_string(cluster->all[0]->port))));
  for (const std::string_view key : {"a", "b", "c", "d", "e", "f", "g"}) ask(*single, {"SET", key, "x"});
  EXPECT_TRUE(told("give redis+cluster://"));
}

TEST_F(Clusters, ACommandFollowsItsSlotWhenItHasMoved) {
  const auto redis = connect(hasty(settings_of(url())));
  const std::uint16_t slot = slot_of("moves");
  Server& from = owner_of(slot);
  Server& to = other_than(from);
  begin_moving(slot, from, to);
  EXPECT_EQ(ask(*redis, {"SET", "moves", "1"}, "moves"), "OK") << "ASK";
  Answer transaction;
  redis->transaction({{"GET", "moves"}, {"SET", "moves", "2"}}, transaction.take(), "moves");
  ASSERT_TRUE(until([&] { return transaction.done(); }));
  EXPECT_EQ(transaction.text, "1 OK") << transaction.error;
  end_moving(slot, to);
  EXPECT_EQ(ask(*redis, {"GET", "moves"}, "moves"), "2") << "MOVED";
  EXPECT_EQ(ask(*redis, {"GET", "moves"}, "moves"), "2");
  EXPECT_EQ(redis->totals().failed, 0u);
}

TEST_F(Clusters, ChannelsAreHeardFromEveryServer) {
  const auto one = connect(hasty(settings_of(url(0))));
  const auto two = connect(hasty(settings_of(url(1))));
  const auto three = connect(hasty(settings_of(url(2))));
  Ear ear, pattern;
  const auto a = one->subscribe(Subscribed::channel, "news", ear);
  const auto b = two->subscribe(Subscribed::pattern, "ne*", pattern);
  ASSERT_TRUE(until([&] { return ear.subscribed && pattern.subscribed; }));
  for (const auto& each : {one.get(), two.get(), three.get()}) each->publish("news", "x");
  EXPECT_TRUE(until([&] { return ear.heard.size() == 3 && pattern.heard.size() == 3; }));
}

TEST_F(Clusters, ShardChannelsAreHeardAtTheirOwnersAndCounted) {
  const auto one = connect(hasty(settings_of(url(0))));
  const auto two = connect(hasty(settings_of(url(1))));
  std::vector<std::unique_ptr<Ear>> ears;
  std::vector<Subscription> subscriptions;
  for (int i = 0; i < 20; ++i) {
    ears.push_back(std::make_unique<Ear>());
    subscriptions.push_back(one->subscribe(Subscribed::shard, "c" + std::to_string(i), *ears.back()));
  }
  Ear again;
  const auto also = two->subscribe(Subscribed::shard, "c7", again);
  ASSERT_TRUE(until([&] {
    return again.subscribed && std::ranges::all_of(ears, [](auto& e) { return e->subscribed == 1; });
  }));
  for (int i = 0; i < 20; ++i) two->shard_publish("c" + std::to_string(i), "x");
  EXPECT_TRUE(until([&] { return std::ranges::all_of(ears, [](auto& e) { return e->heard.size() == 1; }); }));
  std::optional<std::size_t> shards, channels;
  two->count_subscribers(Subscribed::shard, "c7", [&](auto count) { shards = count; });
  two->count_subscribers(Subscribed::channel, "c7", [&](auto count) { channels = count; });
  ASSERT_TRUE(until([&] { return shards && channels; }));
  EXPECT_EQ(shards, 2u);
  EXPECT_EQ(channels, 0u);
}

TEST_F(Clusters, AShardChannelMovesWithItsSlot) {
  const auto redis = connect(hasty(settings_of(url())));
  Ear ear;
  const auto hears = redis->subscribe(Subscribed::shard, "moves", ear);
  ASSERT_TRUE(until([&] { return ear.subscribed == 1; }));
  const std::uint16_t slot = slot_of("moves");
  Server& from = owner_of(slot);
  Server& to = other_than(from);
  begin_moving(slot, from, to);
  end_moving(slot, to);
  ASSERT_TRUE(until([&] { return ear.subscribed == 2; }));
  EXPECT_EQ(ear.gaps, 1);
  Answer published;
  redis->shard_publish("moves", "after", published.take());
  ASSERT_TRUE(until([&] { return !ear.heard.empty(); }));
  EXPECT_EQ(published.text, "1");
}

TEST_F(Clusters, ADedicatedLinkGoesToTheOwnerOfItsKeyAndFollowsIt) {
  const auto redis = connect(hasty(settings_of(url())));
  const std::uint16_t slot = slot_of("stream");
  Server& from = owner_of(slot);
  Server& to = other_than(from);
  const auto reader = redis->dedicate("stream");
  ASSERT_TRUE(until([&] { return reader->up(); }));
  begin_moving(slot, from, to);
  end_moving(slot, to);
  Answer answer;
  reader->command({"XLEN", "stream"}, answer.take());
  ASSERT_TRUE(until([&] { return answer.done(); }));
  EXPECT_EQ(answer.error.substr(0, 6), "MOVED ");
  EXPECT_TRUE(until([&] {
    if (answer.done() && answer.error.empty()) return true;
    if (!answer.done() || !reader->up()) return false;
    answer = {};
    reader->command({"XLEN", "stream"}, answer.take());
    return false;
  }));
}

TEST_F(Clusters, AMasterThatDiesIsReplacedByItsReplica) {
  create(6, 1);
  const auto redis = connect(hasty(settings_of(url())));
  Ear shard, channel;
  const auto a = redis->subscribe(Subscribed::shard, "c", shard);
  const auto b = redis->subscribe(Subscribed::channel, "c", channel);
  ASSERT_TRUE(until([&] { return shard.subscribed && channel.subscribed; }));
  Server& owner = owner_of(slot_of("c"));
  owner.end();
  ASSERT_TRUE(until([&] { return !redis->up(); }));
  ASSERT_TRUE(until([&] { return redis->up() && shard.subscribed == 2; }, 60'000));
  redis->shard_publish("c", "after");
  redis->publish("c", "after");
  EXPECT_TRUE(until([&] { return !shard.heard.empty() && !channel.heard.empty(); }));
  EXPECT_EQ(ask(*redis, {"SET", "c", "1"}, "c"), "OK");
}

TEST_F(Clusters, AFrozenMasterFailsItsOwnAloneAndIsMissed) {
  const auto redis = connect(hasty(settings_of(url())));
  Server& frozen = owner_of(slot_of("c"));
  frozen.freeze();
  ASSERT_TRUE(until([&] { return !redis->up(); }));
  Answer lost;
  redis->command({"GET", "c"}, lost.take(), "c");
  EXPECT_TRUE(lost.done());
  frozen.thaw();
  ASSERT_TRUE(until([&] { return redis->up(); }));
}

}  // namespace
}  // namespace limpet::redis
