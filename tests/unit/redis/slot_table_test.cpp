// When a cluster is asked where its slots are: one that a test speaks for.
#include <algorithm>
#include <atomic>

#include "backend/redis/slots.h"
#include "tests/unit/redis/fake_server.h"
#include "tests/unit/redis/world.h"

namespace limpet::redis {
namespace {

constexpr std::string_view kSlotsAsked = "CLUSTER\r\n$5\r\nSLOTS\r\n";

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t times = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

std::string pushed(const std::string& kind, const std::string& channel) {
  return "*3\r\n$" + std::to_string(kind.size()) + "\r\n" + kind + "\r\n$" + std::to_string(channel.size()) +
         "\r\n" + channel + "\r\n:0\r\n";
}

// One master of all slots. It takes the channel "taken" away from who asks for "takes".
struct SlotTable : World {
  std::string url;
  std::atomic<int> last_slot{16'383};
  FakeServer server{[this](const std::string& heard) { return answer(heard); }};
  void SetUp() override { url = server.url(); }

  std::string answer(const std::string& heard) const {
    std::string all;
    for (std::size_t at = 0; at < heard.size();) {
      std::size_t end = heard.find("\r\n*", at);
      end = end == std::string::npos ? heard.size() : end + 2;
      all += answer_one(heard.substr(at, end - at));
      at = end;
    }
    return all;
  }
  std::string answer_one(const std::string& command) const {
    if (command.find("SLOTS") != std::string::npos) {
      return "*1\r\n*3\r\n:0\r\n:" + std::to_string(last_slot) +
             "\r\n*2\r\n$9\r\n127.0.0.1\r\n:" + url.substr(url.rfind(':') + 1) + "\r\n";
    }
    for (const std::string kind : {"ssubscribe", "sunsubscribe"}) {
      std::string verb = "\r\n" + kind + "\r\n";
      std::ranges::transform(verb, verb.begin(), [](char c) { return c >= 'a' ? c - 32 : c; });
      if (command.find(verb) == std::string::npos) continue;
      const std::size_t last = command.rfind("\r\n", command.size() - 3) + 2;
      const std::string channel = command.substr(last, command.size() - 2 - last);
      return pushed(kind, channel) + (channel == "takes" ? pushed("sunsubscribe", "taken") : "");
    }
    if (command.find("\r\nGET\r\n") != std::string::npos) return {FakeServer::kHangUp};
    return command.find("PING") != std::string::npos ? "+PONG\r\n" : "+OK\r\n";
  }
  std::size_t times_asked() const { return count(server.heard(), kSlotsAsked); }
};

TEST_F(SlotTable, IsNotAskedForByChannelsThatNobodyWantsAnyMore) {
  const auto redis = connect(settings_of("redis+cluster" + url.substr(5)));
  const std::uint64_t end = net::now_ms() + 300;
  for (std::size_t rounds = 1; net::now_ms() < end; ++rounds) {
    Ear ear;
    {
      const auto heard = redis->subscribe(Subscribed::shard, "room", ear);
      ASSERT_TRUE(until([&] { return ear.subscribed == 1; }));
    }
    ASSERT_TRUE(until([&] { return count(server.heard(), "SUNSUBSCRIBE") == rounds; }));
  }
  EXPECT_EQ(times_asked(), 1u);
}

TEST_F(SlotTable, IsAskedForWhenAChannelWasTakenAway) {
  const auto redis = connect(settings_of("redis+cluster" + url.substr(5)));
  Ear taken, takes;
  const auto one = redis->subscribe(Subscribed::shard, "taken", taken);
  ASSERT_TRUE(until([&] { return taken.subscribed == 1; }));
  const auto two = redis->subscribe(Subscribed::shard, "takes", takes);
  EXPECT_TRUE(until([&] { return times_asked() == 2 && taken.subscribed == 2; }));
  EXPECT_EQ(taken.gaps, 1);
}

TEST_F(SlotTable, MayGoWithRedisWhileAnswersAreOwed) {
  auto redis = connect(settings_of("redis+cluster" + url.substr(5)));
  int failed = 0;
  for (int i = 0; i < 3; ++i) {
    const auto done = [&](const Result& result) {
      failed += !result.ok();
      redis.reset();
    };
    redis->command({"GET", "a"}, done, i == 1 ? "" : "a");
  }
  EXPECT_TRUE(until([&] { return redis == nullptr; }));
  EXPECT_EQ(failed, 3);
}

TEST_F(SlotTable, ThatHasNoMasterForAKeyIsAskedForAnew) {
  last_slot = 16'382;
  const auto redis = connect(settings_of("redis+cluster" + url.substr(5)));
  const std::string_view key = "39296";
  ASSERT_EQ(slot_of(key), 16'383);
  Answer answer;
  redis->command({"SET", key, "b"}, answer.take(), key);
  EXPECT_EQ(answer.error, "no master is known for this key");
  last_slot = 16'383;
  EXPECT_TRUE(until([&] { return times_asked() == 2; }));
  std::string said;
  do said = ask(*redis, {"SET", key, "b"}, key);
  while (said == answer.error);  // the table is on its way
  EXPECT_EQ(said, "OK");
}

}  // namespace
}  // namespace limpet::redis
