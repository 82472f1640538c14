// A node that leaves its Redis: what it waits for, and what not.
#include "backend/app/cluster.h"

#include "backend/socketio/server.h"
#include "tests/unit/redis/cluster_servers.h"
#include "tests/unit/redis/world.h"

namespace limpet::app {
namespace {

struct Leaving : redis::World {
  http::Server http{loop, {}};
  socketio::Server io{loop, http, {}};
  redis::Redis* link = nullptr;
  std::unique_ptr<Cluster> cluster;

  void begin(const redis::Settings& at, bool presence) {
    ClusterSettings settings;
    settings.redis = redis::hasty(at);
    settings.redis.answer_timeout_ms = 10'000;
    if (presence) settings.presence.emplace();
    settings.join = [this](redis::Redis& redis, const cluster::Tally&, const auto&) {
      link = &redis;
      return adapter::Factory();
    };
    cluster = std::make_unique<Cluster>(loop, settings, "ws1", OnEvent());
    cluster->start(io.of("/"));
    ASSERT_TRUE(until([&] { return link->up(); }));
  }
  void TearDown() override {
    if (cluster) cluster->stop_counting();
  }
  void some_time_passes() {
    const std::uint64_t enough = net::now_ms() + 100;
    until([&] { return net::now_ms() > enough; });
  }
};

TEST_F(Leaving, WaitsForNoRedisThatIsSilent) {
  const redis::Server server;
  begin(redis::settings_of(server.unix_url()), true);
  cluster->presence()->connected("ada", "a");
  ASSERT_TRUE(until([&] { return cluster->presence()->totals().written == 1; }));
  server.freeze();
  int left = 0;
  cluster->leave(50, [&] { ++left; });
  EXPECT_TRUE(until([&] { return left > 0; }));
  server.thaw();
  ASSERT_TRUE(until([&] { return cluster->presence()->totals().dropped == 1; }));
  some_time_passes();
  EXPECT_EQ(left, 1);
}

TEST_F(Leaving, WaitsForWhatEachMasterOwes) {
  const redis::ClusterServers servers(3, 0, 20'000);
  for (const auto& slow : servers.all) {
    begin(redis::settings_of(servers.url()), false);
    std::string key = "saved";
    while (!redis::ClusterServers::owns(*slow, key)) key += 'x';
    slow->freeze();
    redis::Answer saved;
    link->command({"SET", key, "session"}, saved.take(), key);
    bool left = false;
    cluster->leave(20'000, [&] { left = true; });
    some_time_passes();
    EXPECT_FALSE(left);
    slow->thaw();
    EXPECT_TRUE(until([&] { return left; }));
    EXPECT_EQ(saved.text, "OK");
    cluster->stop_counting();
    cluster.reset();
  }
}

}  // namespace
}  // namespace limpet::app
