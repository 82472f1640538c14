// A real master, a real replica and real sentinels, and failovers that happen.
#include <fstream>

#include "tests/unit/redis/fake_server.h"
#include "tests/unit/redis/world.h"

namespace limpet::redis {
namespace {

struct Sentinel {
  Folder folder;
  std::uint16_t port = free_port();
  std::unique_ptr<Process> process;

  explicit Sentinel(const Server& master, const std::string& password = "") {
    std::ofstream file(folder / "sentinel.conf");
    file << "port " << port << "\nbind 127.0.0.1\ndir " << folder.path()
         << "\nsentinel monitor mymaster 127.0.0.1 " << master.port
         << " 1\nsentinel down-after-milliseconds mymaster 500\n"
         << "sentinel failover-timeout mymaster 3000\n";
    if (!password.empty()) file << "requirepass " << password << "\n";
    file.close();
    process = std::make_unique<Process>(
        std::vector<std::string>{"redis-server", folder / "sentinel.conf", "--sentinel"});
  }
  std::string operator()(const std::vector<std::string>& words) const {
    return Admin("127.0.0.1", port)(words);
  }
};

struct Sentinels : World {
  std::unique_ptr<Server> first, second;
  std::unique_ptr<Sentinel> sentinel;

  void SetUp() override {
    World::SetUp();
    if (HasFatalFailure()) return;
    first = std::make_unique<Server>();
    second = std::make_unique<Server>(
        std::vector<std::string>{"--replicaof", "127.0.0.1", std::to_string(first->port)});
    sentinel = std::make_unique<Sentinel>(*first);
    ASSERT_TRUE(until([&] { return knows_the_replica(); }));
  }
  bool knows_the_replica() const {
    return (*sentinel)({"SENTINEL", "REPLICAS", "mymaster"}).find("master-link-status ok") !=
           std::string::npos;
  }
  std::string url(const std::string& sentinels) const {
    return "redis+sentinel://" + sentinels + "/mymaster";
  }
  std::string at(std::uint16_t port) const { return "127.0.0.1:" + std::to_string(port); }
  std::string port_of(Redis& redis) {
    const std::string told = ask(redis, {"CONFIG", "GET", "port"});
    return told.substr(told.find(' ') + 1);
  }
  // The master that commands reach, and that is one.
  bool is_master_of(Redis& redis, const Server& server) {
    if (!redis.up()) return false;
    return port_of(redis) == std::to_string(server.port);
  }
};

TEST_F(Sentinels, TheMasterIsFoundByTheFirstThatAnswers) {
  const auto redis = connect(hasty(settings_of(url(at(free_port()) + "," + at(sentinel->port)))));
  EXPECT_EQ(port_of(*redis), std::to_string(first->port));
  EXPECT_TRUE(told("of the sentinels, cannot connect to"));
  EXPECT_TRUE(told("connected to " + at(first->port) + ", the master mymaster"));
}

TEST_F(Sentinels, AnUnknownMasterIsSaid) {
  const auto redis = begin(hasty(settings_of("redis+sentinel://" + at(sentinel->port) + "/other")));
  EXPECT_TRUE(until([&] { return told("does not know"); }));
  EXPECT_FALSE(redis->up());
}

TEST_F(Sentinels, AFailoverThatIsAskedForIsFollowed) {
  const auto redis = connect(hasty(settings_of(url(at(sentinel->port)))));
  const auto reader = redis->dedicate();
  Ear ear;
  const auto hears = redis->subscribe(Subscribed::channel, "c", ear);
  ASSERT_TRUE(until([&] { return ear.subscribed == 1 && reader->up(); }));
  ASSERT_EQ((*sentinel)({"SENTINEL", "FAILOVER", "mymaster"}), "OK");
  ASSERT_TRUE(until([&] { return is_master_of(*redis, *second); }));
  ASSERT_TRUE(until([&] { return ear.subscribed == 2; }));
  EXPECT_EQ(ear.gaps, 1);
  EXPECT_EQ(ask(*redis, {"SET", "after", "1"}), "OK");
  ASSERT_TRUE(until([&] { return reader->up(); }));
  Answer read;
  reader->command({"CONFIG", "GET", "port"}, read.take());
  ASSERT_TRUE(until([&] { return read.done(); }));
  EXPECT_EQ(read.text, "port " + std::to_string(second->port));
}

TEST_F(Sentinels, AMasterThatDiesIsReplaced) {
  const auto redis = connect(hasty(settings_of(url(at(sentinel->port)))));
  Ear ear;
  const auto hears = redis->subscribe(Subscribed::channel, "c", ear);
  ASSERT_TRUE(until([&] { return ear.subscribed == 1; }));
  first->end();
  ASSERT_TRUE(until([&] { return is_master_of(*redis, *second); }));
  ASSERT_TRUE(until([&] { return ear.subscribed == 2; }));
  redis->publish("c", "after");
  EXPECT_TRUE(until([&] { return !ear.heard.empty(); }));
}

TEST_F(Sentinels, AMasterThatFreezesIsReplacedAndNotGoneBackTo) {
  const auto redis = connect(hasty(settings_of(url(at(sentinel->port)))));
  first->freeze();
  ASSERT_TRUE(until([&] { return is_master_of(*redis, *second); }));
  first->thaw();
  ASSERT_TRUE(until([&] { return (*first)({"PING"}) == "PONG"; }));
  EXPECT_EQ(port_of(*redis), std::to_string(second->port));
  EXPECT_EQ(ask(*redis, {"SET", "after", "1"}), "OK");
}

TEST_F(Sentinels, OnesThatWantAPasswordGetTheirOwn) {
  const Sentinel guarded(*first, "sesame");
  auto settings = hasty(settings_of(url(at(guarded.port))));
  const auto without = begin(settings);
  ASSERT_TRUE(until([&] { return told("NOAUTH"); }));
  settings.sentinel_password = "sesame";
  EXPECT_EQ(port_of(*connect(settings)), std::to_string(first->port));
}

// One that is behind the times names a server that is no master any more.
TEST_F(Sentinels, WhoIsWrongIsNotBelieved) {
  FakeServer stale(FakeServer::after_greeting("*2\r\n$9\r\n127.0.0.1\r\n$" +
                                              std::to_string(std::to_string(second->port).size()) + "\r\n" +
                                              std::to_string(second->port) + "\r\n"));
  const auto redis = connect(hasty(settings_of(url(stale.url().substr(8) + "," + at(sentinel->port)))));
  EXPECT_TRUE(told("it is no master"));
  EXPECT_EQ(port_of(*redis), std::to_string(first->port));
}

TEST_F(Sentinels, OddAnswersAreNone) {
  for (const std::string answer :
       {"*-1\r\n", "*2\r\n$1\r\na\r\n$1\r\n0\r\n", "*1\r\n$1\r\na\r\n", "+OK\r\n", "*2\r\n*0\r\n*0\r\n"}) {
    FakeServer odd(FakeServer::after_greeting(answer));
    events.clear();
    const auto redis = begin(hasty(settings_of(url(odd.url().substr(8)))));
    EXPECT_TRUE(until([&] { return told("does not know: no answer of use"); })) << answer;
  }
}

}  // namespace
}  // namespace limpet::redis
