// Links of one's own for commands that block, and what may be destroyed from within callbacks.
#include "tests/unit/redis/one_server.h"

namespace limpet::redis {
namespace {

// --- dedicated ---

TEST_F(OneServer, ADedicatedLinkBlocksAlone) {
  const auto redis = connect(hasty(settings_of(server->url())));
  const auto reader = redis->dedicate();
  ASSERT_TRUE(until([&] { return reader->up(); }));
  Answer read;
  reader->command({"XREAD", "BLOCK", "10000", "STREAMS", "s", "$"}, read.take(), 10'000);
  const std::uint64_t begun = net::now_ms();
  ASSERT_TRUE(until([&] { return net::now_ms() - begun > 1'500; })) << "longer than an answer may take";
  EXPECT_EQ(ask(*redis, {"PING"}), "PONG");
  EXPECT_FALSE(read.done());
  ask(*redis, {"XADD", "s", "*", "a", "b"});
  EXPECT_TRUE(until([&] { return read.done(); }));
  EXPECT_TRUE(read.error.empty());
}

TEST_F(OneServer, ADedicatedLinkThatIsLostFailsItsCommandAndComesBack) {
  const auto redis = connect(hasty(settings_of(server->url())));
  const auto reader = redis->dedicate();
  std::vector<bool> ups;
  reader->on_link = [&](bool up) { ups.push_back(up); };
  ASSERT_TRUE(until([&] { return reader->up(); }));
  Answer read;
  reader->command({"XREAD", "BLOCK", "0", "STREAMS", "s", "$"}, read.take(), 1'000'000);
  server->freeze();
  ASSERT_TRUE(until([&] { return read.done(); })) << "the other links have noticed";
  server->thaw();
  ASSERT_TRUE(until([&] { return reader->up(); }));
  EXPECT_EQ(ups, (std::vector{true, false, true}));
}

// --- ends from within ---

TEST_F(OneServer, RedisMayBeDestroyedFromWithinAnyCallback) {
  enum class From { answer, message, subscribed, gap, link, event, failure };
  for (const From from :
       {From::answer, From::message, From::subscribed, From::gap, From::link, From::event, From::failure}) {
    auto redis = begin(hasty(settings_of(server->url())));
    const auto go = [&] { redis.reset(); };
    if (from == From::link) redis->on_link = [&](bool) { go(); };
    if (from == From::event) redis->on_event = [&](bool, std::string_view) { go(); };
    Ear ear, other;
    const auto hears = redis->subscribe(Subscribed::channel, "c", ear);
    const auto also = redis->subscribe(Subscribed::channel, "c", other);
    if (from == From::subscribed) ear.then = go;
    if (from < From::subscribed || from > From::event || from == From::gap) {
      ASSERT_TRUE(until([&] { return redis->up() && ear.subscribed && other.subscribed; }));
      if (from == From::answer) redis->command({"PING"}, [&](const Result&) { go(); });
      if (from == From::message) ear.then = go;
      if (from == From::message) redis->publish("c", "x");
      if (from == From::gap) ear.then = go;
      if (from == From::failure) redis->command({"BLPOP", "none", "0"}, [&](const Result&) { go(); });
      if (from == From::gap || from == From::failure) (*server)({"CLIENT", "KILL", "TYPE", "pubsub"});
      if (from == From::failure) {
        (*server)({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
      }
    }
    EXPECT_TRUE(until([&] { return redis == nullptr; })) << static_cast<int>(from);
    until([n = 0]() mutable { return ++n > 5; });
  }
}

TEST_F(OneServer, WhatIsOwedFailsWithRedisAndSubscriptionsMayOutliveIt) {
  auto redis = connect(settings_of(server->url()));
  Ear ear;
  const auto hears = redis->subscribe(Subscribed::channel, "c", ear);
  const auto reader = redis->dedicate();
  Answer answer, again, read;
  ASSERT_TRUE(until([&] { return reader->up(); }));
  redis->command({"BLPOP", "none", "0"}, [&](const Result& result) {
    answer.take()(result);
    redis->command({"PING"}, again.take());
  });
  reader->command({"BLPOP", "none", "0"}, read.take());
  delete redis.get();  // so that it can still be named while it goes
  (void)redis.release();
  EXPECT_EQ(answer.error, "the link to Redis was closed");
  EXPECT_EQ(read.error, "the link to Redis was closed");
  EXPECT_EQ(again.times, 1);
  EXPECT_FALSE(again.sent);
  EXPECT_FALSE(reader->up());
}

TEST_F(OneServer, AListenerMayEndItsOwnAndOthersSubscriptions) {
  const auto redis = connect(settings_of(server->url()));
  Ear first, second, third;
  auto one = redis->subscribe(Subscribed::channel, "c", first);
  auto two = redis->subscribe(Subscribed::channel, "c", second);
  auto three = redis->subscribe(Subscribed::channel, "c", third);
  Subscription fresh;
  Ear late;
  ASSERT_TRUE(until([&] { return third.subscribed == 1; }));
  first.then = [&] {
    one = {};
    two = {};
    fresh = redis->subscribe(Subscribed::channel, "c", late);
  };
  redis->publish("c", "x");
  ASSERT_TRUE(until([&] { return !third.heard.empty() && late.subscribed == 1; }));
  EXPECT_EQ(first.heard.size(), 1u);
  EXPECT_TRUE(second.heard.empty());
  EXPECT_TRUE(late.heard.empty());
}

}  // namespace
}  // namespace limpet::redis
