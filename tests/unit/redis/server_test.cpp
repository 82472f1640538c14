// One real server: commands, subscriptions, and what happens when it goes, freezes or refuses.
#include <algorithm>

#include "tests/unit/redis/one_server.h"

namespace limpet::redis {
namespace {

TEST_F(OneServer, CommandsAreAnsweredOverTcpAndUnixSockets) {
  for (const std::string& url : {server->url(), server->unix_url()}) {
    const auto redis = connect(settings_of(url));
    EXPECT_EQ(ask(*redis, {"SET", "key", "value"}), "OK");
    EXPECT_EQ(ask(*redis, {"GET", "key"}), "value");
    EXPECT_EQ(ask(*redis, {"INCRBY", "n", "41"}).empty(), false);
    EXPECT_EQ(ask(*redis, {"NOSUCH"}).substr(0, 11), "ERR unknown");
  }
  EXPECT_TRUE(told("connected to 127.0.0.1:" + std::to_string(server->port)));
  EXPECT_TRUE(told("connected to unix:" + server->socket()));
}

TEST_F(OneServer, ANameIsLookedUp) {
  auto settings = settings_of(server->url());
  settings.endpoints[0].host = "localhost";
  const auto redis = connect(settings);
  EXPECT_EQ(ask(*redis, {"PING"}), "PONG");
}

TEST_F(OneServer, TheDatabaseIsSelected) {
  const auto redis = connect(settings_of(server->unix_url() + "?db=3"));
  EXPECT_EQ(ask(*redis, {"SET", "here", "1"}), "OK");
  Admin admin(server->socket());
  EXPECT_EQ(admin({"EXISTS", "here"}), "0");
  admin({"SELECT", "3"});
  EXPECT_EQ(admin({"EXISTS", "here"}), "1");
}

TEST_F(OneServer, CommandsOfOneTurnAreAnsweredInOrder) {
  const auto redis = connect(settings_of(server->unix_url()));
  std::vector<std::int64_t> answers;
  for (int i = 0; i < 10'000; ++i) {
    redis->command({"INCR", "n"},
                   [&](const Result& result) { answers.push_back(result.reply.integer().value_or(-1)); });
  }
  EXPECT_GT(redis->totals().pending_bytes, 0u);
  ASSERT_TRUE(until([&] { return answers.size() == 10'000; }));
  EXPECT_TRUE(std::ranges::is_sorted(answers));
  EXPECT_EQ(answers.back(), 10'000);
  EXPECT_EQ(redis->totals().pending_bytes, 0u);
  EXPECT_EQ(redis->totals().commands, 10'000u);
  EXPECT_EQ(redis->totals().failed, 0u);
}

TEST_F(OneServer, LargeValuesGoBothWays) {
  const auto redis = connect(settings_of(server->url()));
  const std::string large(9'000'000, 'x');
  Answer set, get;
  redis->command({"SET", "large", large}, set.take());
  redis->command({"GET", "large"}, get.take());
  ASSERT_TRUE(until([&] { return get.done(); }));
  EXPECT_EQ(set.text, "OK");
  EXPECT_TRUE(get.text == large);
}

TEST_F(OneServer, AStreamFromEndToEndIsNotTooLarge) {
  const auto redis = connect(settings_of(server->unix_url()));
  const std::string data(1'000, 'd');
  int left = 10'000;
  for (int i = 0; i < 10'000; ++i) {
    redis->command({"XADD", "s", "*", "uid", "0123456789abcdef", "nsp", "/", "type", "3", "data", data},
                   [&](const Result&) { --left; });
  }
  ASSERT_TRUE(until([&] { return left == 0; }));
  std::size_t entries = 0;
  redis->command({"XRANGE", "s", "-", "+"}, [&](const Result& result) {
    entries = result.reply.size();
    EXPECT_EQ(result.reply[9'999][1][7].text(), data);
  });
  EXPECT_TRUE(until([&] { return entries == 10'000; }));
}

TEST_F(OneServer, AnAnswerBeyondTheBoundEndsTheLinkAndTheNextOneWorks) {
  auto settings = hasty(settings_of(server->unix_url()));
  settings.max_reply_bytes = 64 * 1024;
  const auto redis = connect(settings);
  const std::string large(100'000, 'x');
  EXPECT_EQ(ask(*redis, {"SET", "large", large}), "OK");
  EXPECT_EQ(ask(*redis, {"GET", "large"}), "an answer that is too large");
  ASSERT_TRUE(until([&] { return redis->up(); }));
  EXPECT_EQ(ask(*redis, {"STRLEN", "large"}), "100000");
}

TEST_F(OneServer, ATransactionAnswersOnce) {
  const auto redis = connect(settings_of(server->unix_url()));
  Answer good, bad, after;
  redis->transaction({{"SET", "a", "1"}, {"GET", "a"}, {"DEL", "a"}}, good.take());
  redis->transaction({{"SET", "a", "1"}, {"NOSUCH"}}, bad.take());
  redis->command({"GET", "a"}, after.take());
  ASSERT_TRUE(until([&] { return after.done(); }));
  EXPECT_EQ(good.text, "OK 1 1");
  EXPECT_EQ(bad.error.substr(0, 11), "ERR unknown");
  EXPECT_EQ(after.text, "");
}

TEST_F(OneServer, WhatWouldWaitBeyondTheBoundFailsAtOnce) {
  auto settings = settings_of(server->unix_url());
  settings.max_pending_bytes = 10'000;
  const auto redis = connect(settings);
  const std::string text(1'000, 'x');
  int failed = 0, answered = 0;
  for (int i = 0; i < 20; ++i) {
    redis->publish("c", text, [&](const Result& result) {
      ++(result.ok() ? answered : failed);
      EXPECT_EQ(result.sent, result.ok());
    });
  }
  EXPECT_GT(failed, 10);
  EXPECT_LE(redis->totals().pending_bytes, 10'000u);
  EXPECT_TRUE(until([&] { return answered + failed == 20; }));
  EXPECT_GT(answered, 5);
  EXPECT_EQ(redis->totals().publishes_failed, static_cast<std::uint64_t>(failed));
}

// --- subscriptions ---

TEST_F(OneServer, ChannelsPatternsAndShardsAreHeard) {
  const auto redis = connect(settings_of(server->url()));
  Ear channel, pattern, shard;
  const auto a = redis->subscribe(Subscribed::channel, "news", channel);
  const auto b = redis->subscribe(Subscribed::pattern, "ne*", pattern);
  const auto c = redis->subscribe(Subscribed::shard, "news", shard);
  ASSERT_TRUE(until([&] { return channel.subscribed + pattern.subscribed + shard.subscribed == 3; }));
  Answer published, sharded;
  redis->publish("news", std::string_view("a\0b", 3), published.take());
  redis->shard_publish("news", "shard", sharded.take());
  ASSERT_TRUE(
      until([&] { return !channel.heard.empty() && !pattern.heard.empty() && !shard.heard.empty(); }));
  EXPECT_EQ(published.text, "2");
  EXPECT_EQ(sharded.text, "1");
  EXPECT_EQ(channel.heard, std::vector{std::string("news a\0b", 8)});
  EXPECT_EQ(pattern.heard, std::vector{std::string("news a\0b", 8)});
  EXPECT_EQ(shard.heard, std::vector<std::string>{"news shard"});
  EXPECT_EQ(redis->totals().messages, 3u);
}

TEST_F(OneServer, SubscribersAreCounted) {
  const auto redis = connect(settings_of(server->url()));
  Ear ear;
  auto one = redis->subscribe(Subscribed::channel, "news", ear);
  auto two = redis->subscribe(Subscribed::channel, "news", ear);
  auto shard = redis->subscribe(Subscribed::shard, "news", ear);
  ASSERT_TRUE(until([&] { return ear.subscribed == 3; }));
  const auto count = [&](Subscribed kind) {
    std::optional<std::optional<std::size_t>> counted;
    redis->count_subscribers(kind, "news", [&](auto n) { counted = n; });
    EXPECT_TRUE(until([&] { return counted.has_value(); }));
    return *counted;
  };
  EXPECT_EQ(count(Subscribed::channel), 1u) << "two of one process share one SUBSCRIBE";
  EXPECT_EQ(count(Subscribed::shard), 1u);
  one = {};
  EXPECT_EQ(count(Subscribed::channel), 1u);
  two = {};
  shard = {};
  EXPECT_EQ(count(Subscribed::channel), 0u);
  EXPECT_EQ(count(Subscribed::shard), 0u);
}

TEST_F(OneServer, WhoComesLateToAChannelIsToldThatItIsHeard) {
  const auto redis = connect(settings_of(server->url()));
  Ear first, second;
  const auto one = redis->subscribe(Subscribed::channel, "news", first);
  ASSERT_TRUE(until([&] { return first.subscribed == 1; }));
  const auto two = redis->subscribe(Subscribed::channel, "news", second);
  EXPECT_EQ(second.subscribed, 0) << "not from within";
  EXPECT_TRUE(until([&] { return second.subscribed == 1; }));
  EXPECT_EQ(first.subscribed, 1);
}

TEST_F(OneServer, ASubscriptionMayEndAndComeBackAtOnce) {
  const auto redis = connect(settings_of(server->url()));
  for (const auto kind : {Subscribed::channel, Subscribed::pattern, Subscribed::shard}) {
    Ear ear;
    for (int i = 0; i < 5; ++i) auto gone = redis->subscribe(kind, "c", ear);
    const auto kept = redis->subscribe(kind, "c", ear);
    ASSERT_TRUE(until([&] { return ear.subscribed == 1; }));
    if (kind == Subscribed::shard) {
      redis->shard_publish("c", "x");
    } else {
      redis->publish("c", "x");
    }
    ASSERT_TRUE(until([&] { return !ear.heard.empty(); }));
    EXPECT_EQ(ask(*redis, {"PING"}), "PONG");
    EXPECT_EQ(ear.heard.size(), 1u);
    EXPECT_EQ(ear.gaps, 0);
  }
}

TEST_F(OneServer, SubscriptionsAreRenewedAfterAGap) {
  const auto redis = connect(hasty(settings_of(server->url())));
  Ear ear;
  const auto one = redis->subscribe(Subscribed::channel, "news", ear);
  const auto two = redis->subscribe(Subscribed::shard, "news", ear);
  ASSERT_TRUE(until([&] { return ear.subscribed == 2; }));
  (*server)({"CLIENT", "KILL", "TYPE", "pubsub"});
  ASSERT_TRUE(until([&] { return ear.subscribed == 4; }));
  EXPECT_EQ(ear.gaps, 2);
  redis->publish("news", "again");
  EXPECT_TRUE(until([&] { return !ear.heard.empty(); }));
  EXPECT_GE(redis->totals().reconnects, 1u);
}

TEST_F(OneServer, ManyChannelsComeBackAfterAGap) {
  const auto redis = connect(settings_of(server->unix_url()));
  constexpr int kMany = 20'000;
  struct Counter : Listener {
    int subscribed = 0, gaps = 0, heard = 0;
    void on_message(std::string_view, std::string_view) override { ++heard; }
    void on_subscribed() override { ++subscribed; }
    void on_gap() override { ++gaps; }
  } counter;
  std::vector<Subscription> all;
  for (int i = 0; i < kMany; ++i)
    all.push_back(redis->subscribe(Subscribed::shard, "room" + std::to_string(i), counter));
  ASSERT_TRUE(until([&] { return counter.subscribed == kMany; }));
  (*server)({"CLIENT", "KILL", "TYPE", "pubsub"});
  ASSERT_TRUE(until([&] { return counter.subscribed == 2 * kMany; }));
  EXPECT_EQ(counter.gaps, kMany);
  redis->shard_publish("room19999", "x");
  ASSERT_TRUE(until([&] { return counter.heard == 1; }));
  all.clear();
  EXPECT_TRUE(until([&] { return (*server)({"PUBSUB", "SHARDCHANNELS"}).empty(); }));
}

// --- faults ---

TEST_F(OneServer, AServerThatGoesAndComesBackIsFoundAgain) {
  const auto redis = connect(hasty(settings_of(server->url())));
  std::vector<bool> ups;
  redis->on_link = [&](bool up) { ups.push_back(up); };
  server->end();
  ASSERT_TRUE(until([&] { return !redis->up(); }));
  Answer answer;
  redis->command({"PING"}, answer.take());
  EXPECT_EQ(answer.times, 1) << "nothing waits for a link";
  EXPECT_FALSE(answer.sent);
  server->start();
  ASSERT_TRUE(until([&] { return redis->up(); }));
  EXPECT_EQ(ask(*redis, {"PING"}), "PONG");
  EXPECT_EQ(ups, (std::vector{false, true}));
  EXPECT_TRUE(told("lost 127.0.0.1:"));
}

TEST_F(OneServer, AServerThatComesLaterIsFound) {
  server->end();
  const auto redis = begin(hasty(settings_of(server->url())));
  ASSERT_TRUE(until([&] { return told("cannot connect to 127.0.0.1:"); }));
  const auto troubles = events.size();
  ASSERT_TRUE(until([&] { return redis->totals().connects_failed > 10; }));
  EXPECT_EQ(events.size(), troubles) << "the same trouble is told once";
  server->start();
  EXPECT_TRUE(until([&] { return redis->up(); }));
}

TEST_F(OneServer, AFrozenServerIsNoticedAndNothingPilesUp) {
  const auto redis = connect(hasty(settings_of(server->url())));
  Ear ear;
  const auto hears = redis->subscribe(Subscribed::channel, "news", ear);
  ASSERT_TRUE(until([&] { return ear.subscribed == 1; }));
  server->freeze();
  Answer answer;
  redis->command({"PING"}, answer.take());
  ASSERT_TRUE(until([&] { return answer.done(); }));
  EXPECT_EQ(answer.error, "it does not answer");
  EXPECT_TRUE(answer.sent);
  EXPECT_FALSE(redis->up());
  ASSERT_TRUE(until([&] { return ear.gaps == 1; }));
  ASSERT_TRUE(until([&] { return told("connected, but it does not answer"); }));
  Answer refused;
  redis->command({"PING"}, refused.take());
  EXPECT_TRUE(refused.done());
  EXPECT_LT(redis->totals().pending_bytes, 1'000u) << "what a new connection begins with, at most";
  server->thaw();
  ASSERT_TRUE(until([&] { return redis->up() && ear.subscribed == 2; }));
  EXPECT_EQ(ask(*redis, {"PING"}), "PONG");
}

TEST_F(OneServer, AnIdleLinkToAFrozenServerIsNoticedToo) {
  const auto redis = connect(hasty(settings_of(server->url())));
  server->freeze();
  EXPECT_TRUE(until([&] { return !redis->up(); }));
  server->thaw();
  EXPECT_TRUE(until([&] { return redis->up(); }));
}

TEST_F(OneServer, AReadOnlyServerIsLeftAndAskedAgain) {
  const auto redis = connect(hasty(settings_of(server->url())));
  Server other;
  (*server)({"REPLICAOF", "127.0.0.1", std::to_string(other.port)});
  ASSERT_TRUE(until([&] { return redis->up(); }));
  EXPECT_EQ(ask(*redis, {"XADD", "s", "*", "a", "b"}).substr(0, 8), "READONLY");
  EXPECT_TRUE(told("it is no master any more"));
  (*server)({"REPLICAOF", "NO", "ONE"});
  ASSERT_TRUE(until([&] { return redis->up(); }));
  EXPECT_NE(ask(*redis, {"XADD", "s", "*", "a", "b"}).substr(0, 8), "READONLY");
}

}  // namespace
}  // namespace limpet::redis
