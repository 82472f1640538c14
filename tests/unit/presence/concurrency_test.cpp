// Many nodes at once, on one server and on a cluster: whatever the order in which they come to Redis, in the
// end it has what lives, and of each user a socket that nothing newer has followed.
#include <algorithm>
#include <random>
#include <vector>

#include "tests/unit/presence/world.h"
#include "tests/unit/redis/cluster_servers.h"

namespace limpet::presence {
namespace {

enum class Kind { server, cluster };

struct Concurrency : World, testing::WithParamInterface<Kind> {
  std::unique_ptr<redis::Server> server;
  std::unique_ptr<redis::ClusterServers> cluster;
  void SetUp() override {
    redis::World::SetUp();
    if (HasFatalFailure()) return;
    if (GetParam() == Kind::server)
      server = std::make_unique<redis::Server>();
    else
      cluster = std::make_unique<redis::ClusterServers>();
    look_with(redis::settings_of(server ? server->url() : cluster->url()));
  }

  // What each node says it has.
  struct Alive {
    std::string server;
    std::map<std::string, std::string> sockets;  // id -> user
  };
  std::vector<Alive> all;

  bool agrees(const std::string& user) {
    const Seen it = seen(user);
    Hash expected;  // socket -> server
    for (const Alive& each : all) {
      for (const auto& [socket, of] : each.sockets) {
        if (of == user) expected[socket] = each.server;
      }
    }
    if (it.sockets.size() != expected.size()) return false;
    if (expected.empty()) return it == Seen{};
    std::uint64_t most = 0;
    for (const auto& [socket, entry] : it.sockets) {
      if (!expected.count(socket)) return false;
      if (entry.find("\"serverId\":\"" + expected[socket] + "\"") == std::string::npos) return false;
      most = std::max<std::uint64_t>(most, std::stoull(entry.substr(entry.rfind(':') + 1)));
    }
    if (!it.newest.count("socketId") || !expected.count(it.newest.at("socketId"))) return false;
    return it.newest.at("connectedAt") == std::to_string(most) &&
           it.newest.at("serverId") == expected[it.newest.at("socketId")] &&
           it.connections == Hash{{user, it.newest.at("serverId")}};
  }
};

TEST_P(Concurrency, InTheEndRedisHasWhatLives) {
  constexpr int kNodes = 4, kUsers = 6, kSteps = 600;
  std::vector<std::unique_ptr<Node>> nodes;
  for (int i = 0; i < kNodes; ++i) {
    nodes.push_back(node("ws" + std::to_string(i), 200));
    all.push_back({"ws" + std::to_string(i), {}});
  }
  std::mt19937 random(7);
  for (int step = 0; step < kSteps; ++step) {
    const std::size_t n = random() % kNodes;
    auto& sockets = all[n].sockets;
    if (sockets.empty() || random() % 2 == 0) {
      const std::string socket = "s" + std::to_string(step), user = "u" + std::to_string(random() % kUsers);
      sockets[socket] = user;
      (*nodes[n])->connected(user, socket);
    } else {
      auto gone = sockets.begin();
      std::advance(gone, static_cast<long>(random() % sockets.size()));
      (*nodes[n])->disconnected(gone->first);
      sockets.erase(gone);
    }
    if (random() % 4 == 0) {
      int turns = static_cast<int>(random() % 4);
      until([&] { return turns-- <= 0; });
    }
  }
  for (int i = 0; i < kUsers; ++i) {
    const std::string user = "u" + std::to_string(i);
    EXPECT_TRUE(becomes([&] { return agrees(user); })) << user << testing::PrintToString(seen(user).newest);
  }
  // One dies, one leaves.
  nodes[0]->die();
  all[0].sockets.clear();
  bool left = false;
  (*nodes[1])->leave([&] { left = true; });
  all[1].sockets.clear();
  ASSERT_TRUE(until([&] { return left; }));
  for (int i = 0; i < kUsers; ++i) {
    const std::string user = "u" + std::to_string(i);
    EXPECT_TRUE(becomes([&] { return agrees(user); })) << user << testing::PrintToString(seen(user).newest);
  }
}

TEST_P(Concurrency, ALifeThatWasSweptIsWrittenAgain) {
  const auto ws1 = node("ws1", 1'000), ws2 = node("ws2", 40);
  (*ws1)->connected("ada", "a");
  (*ws1)->connected("bob", "b");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));  // of two at once either may be the newest
  const std::uint64_t later = net::now_ms() + 5;
  until([&] { return net::now_ms() > later; });
  (*ws2)->connected("ada", "c");
  ASSERT_TRUE(is("ada", "c", "ws2", 2));
  ASSERT_TRUE(is("bob", "b", "ws1", 1));
  std::string life;
  ASSERT_TRUE(becomes([&] {
    return (life = tell({"SRANDMEMBER", "limpet:nodes"}, "limpet:nodes")).starts_with("ws1/");
  }));
  const std::string alive = "limpet:nodes:{" + life + "}:alive";
  ASSERT_TRUE(becomes([&] {  // its own next beat may be first
    tell({"DEL", alive}, alive);
    return (*ws2)->totals().sockets_swept > 0;
  }));
  EXPECT_TRUE(is("bob", "b", "ws1", 1));
  EXPECT_TRUE(is("ada", "c", "ws2", 2));
}

TEST_P(Concurrency, ASocketThatIsElsewhereByNowIsNotTakenOut) {
  const auto ws1 = node("ws1"), ws2 = node("ws2");
  (*ws1)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws1", 1));
  const std::uint64_t later = net::now_ms() + 5;  // a clock's step: a cluster has no other order
  until([&] { return net::now_ms() > later; });
  (*ws2)->connected("ada", "a");
  ASSERT_TRUE(is("ada", "a", "ws2", 1));
  (*ws1)->disconnected("a");
  ASSERT_TRUE(becomes([&] { return (*ws1)->totals().dropped == 1; }));
  EXPECT_TRUE(is("ada", "a", "ws2", 1));
  ws2->die();
  EXPECT_TRUE(is_gone("ada"));
}

// Of one it has just begun to name the newest: what is named is on a server that stands still, as are others.
TEST_P(Concurrency, AnswersMayComeAfterItsEnd) {
  auto ws1 = node("ws1");
  const std::string named = "user:connections";
  redis::Server& still = cluster ? cluster->owner_of(named) : *server;
  const auto user = [&](const std::string& begin, bool there) {
    for (int i = 0;; ++i) {
      const std::string id = begin + std::to_string(i), key = "user:" + id + ":sockets";
      if (redis::ClusterServers::owns(still, key) == there) return id;
    }
  };
  const std::string later = user("later", true), first = cluster ? user("first", false) : user("first", true);
  (*ws1)->connected(later, "known");  // so that the script is
  ASSERT_TRUE(is(later, "known", "ws1", 1));
  still.freeze();
  for (int i = 0; i < 100; ++i) (*ws1)->connected(later, "a" + std::to_string(i));
  (*ws1)->connected(first, "b");
  const std::uint64_t enough =
      net::now_ms() + 200;  // for the others of a cluster, less than a link's patience
  until([&] { return net::now_ms() > enough; });
  ws1->die();
  still.thaw();
  EXPECT_TRUE(until([&] { return ws1->redis.totals().pending_bytes == 0; }));
  ws1.reset();
}

INSTANTIATE_TEST_SUITE_P(On, Concurrency, testing::Values(Kind::server, Kind::cluster), [](const auto& each) {
  return each.param == Kind::server ? "AServer" : "ACluster";
});

}  // namespace
}  // namespace limpet::presence
