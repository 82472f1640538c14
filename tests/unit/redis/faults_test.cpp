// Servers that are none, and passwords that are not told.
#include <algorithm>
#include <atomic>

#include "tests/unit/redis/fake_server.h"
#include "tests/unit/redis/world.h"

namespace limpet::redis {
namespace {

struct Faults : World {
  void SetUp() override {}  // no redis-server is needed
};

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST_F(Faults, WhatIsNoAnswerEndsTheLinkAndFailsTheCommand) {
  const std::string answers[] = {
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      std::string(1, FakeServer::kHangUp),
      std::string("$100\r\ncut") + FakeServer::kHangUp,
      std::string("*3\r\n:1\r\n*2\r\n") + FakeServer::kHangUp,
      "$9223372036854775807\r\n",
      "*2147483647\r\n",
      repeated("*1\r\n", 2'000),
      "*1000000\r\n" + repeated(":1\r\n", 1'000'000),
      "+" + std::string(1'000'000, 'x'),
      "$" + std::string(100'000, '1'),
      std::string(10'000, '\0'),
      repeated("%1\r\n", 100),
  };
  for (const std::string& answer : answers) {
    FakeServer server(FakeServer::after_greeting(answer));
    auto settings = hasty(settings_of(server.url()));
    settings.max_reply_bytes = 1024 * 1024;
    const auto redis = connect(settings);
    Answer got;
    redis->command({"GET", "x"}, got.take());
    ASSERT_TRUE(until([&] { return got.done(); })) << answer.substr(0, 30);
    EXPECT_EQ(got.times, 1);
    EXPECT_FALSE(got.error.empty()) << answer.substr(0, 30);
    EXPECT_TRUE(until([&] { return redis->up(); })) << "the next connection is a new one";
  }
}

TEST_F(Faults, CommandsOfOneTurnLeaveInOneWrite) {
  std::atomic<int> reads{0};
  FakeServer server([&](const std::string& heard) -> std::string {
    if (heard == "*1\r\n$4\r\nPING\r\n") return "+PONG\r\n";
    ++reads;
    return repeated("+OK\r\n", 100);
  });
  auto settings = settings_of(server.url());
  settings.ping_interval_ms = settings.answer_timeout_ms = 60'000;
  const auto redis = connect(settings);
  int left = 100;
  for (int i = 0; i < 100; ++i) redis->publish("c", "x", [&](const Result&) { --left; });
  ASSERT_TRUE(until([&] { return left == 0; }));
  EXPECT_EQ(reads, 1);
}

TEST_F(Faults, AnAnswerThatNobodyAskedForEndsTheLink) {
  FakeServer server(FakeServer::after_greeting("+OK\r\n+OK\r\n"));
  const auto redis = connect(hasty(settings_of(server.url())));
  EXPECT_EQ(ask(*redis, {"GET", "x"}), "OK");
  EXPECT_TRUE(until([&] { return told("an answer to nothing that was asked"); }));
}

TEST_F(Faults, MessagesOfOddShapesAreHarmless) {
  for (const std::string shape :
       {"*1\r\n$7\r\nmessage\r\n", "*2\r\n$7\r\nmessage\r\n:1\r\n", "*3\r\n$7\r\nmessage\r\n*0\r\n*0\r\n",
        "*3\r\n$8\r\npmessage\r\n$1\r\nc\r\n$1\r\nc\r\n", "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$-1\r\n",
        "*2\r\n$12\r\nsunsubscribe\r\n:5\r\n", "*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n:1\r\n"}) {
    const std::string confirmed = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
    const std::string sound = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\nlast\r\n";
    FakeServer server(FakeServer::after_greeting(confirmed + shape + sound));
    const auto redis = begin(hasty(settings_of(server.url())));
    Ear ear;
    const auto hears = redis->subscribe(Subscribed::channel, "c", ear);
    EXPECT_TRUE(until([&] { return !ear.heard.empty() && ear.heard.back() == "c last"; })) << shape;
  }
}

TEST_F(Faults, WhoNeverAnswersIsLeftInTime) {
  FakeServer server([](const std::string&) { return ""; });
  const auto redis = begin(hasty(settings_of(server.url())));
  EXPECT_TRUE(until([&] { return told("connected, but it does not answer") && server.connections() > 4; }));
  EXPECT_FALSE(redis->up());
}

TEST_F(Faults, AnAnswerThatDripsIsNotWaitedForForever) {
  FakeServer server([n = 0](const std::string& heard) mutable -> std::string {
    if (heard == "*1\r\n$4\r\nPING\r\n" && n++ < 2) return "+PONG\r\n";
    return heard.find("DRIP") != std::string::npos ? "$1000000\r\n" : "x";
  });
  auto settings = hasty(settings_of(server.url()));
  settings.answer_timeout_ms = 50;
  const auto redis = connect(settings);
  Answer answer;
  redis->command({"DRIP"}, answer.take());
  // Each further command brings one byte of the answer to the first.
  EXPECT_TRUE(until([&] {
    if (!answer.done()) redis->command({"NEXT"});
    return answer.done();
  }));
  EXPECT_EQ(answer.error, "it does not answer");
}

TEST_F(Faults, WhatIsNotRedisIsSaid) {
  FakeServer server([](const std::string&) { return "+HELLO\r\n"; });
  const auto redis = begin(hasty(settings_of(server.url())));
  EXPECT_TRUE(until([&] { return told("is this Redis?"); }));
}

TEST_F(Faults, ALoadingServerIsTriedAgain) {
  FakeServer server([n = 0](const std::string&) mutable -> std::string {
    return n++ < 4 ? "-LOADING Redis is loading the dataset in memory\r\n" : "+PONG\r\n";
  });
  const auto redis = begin(hasty(settings_of(server.url())));
  EXPECT_TRUE(until([&] { return redis->up(); }));
  EXPECT_TRUE(told("PING was refused: LOADING"));
}

TEST_F(Faults, ThePasswordIsToldToRedisAlone) {
  const std::string secret = "correct-horse-battery-staple";
  for (const std::string& refusal :
       {"-ERR unknown command 'AUTH', with args beginning with: 'someone' '" + secret + "' \r\n",
        "-ERR no such thing as " + secret.substr(0, 12) + "\r\n",
        std::string("-WRONGPASS invalid username-password pair or user is disabled.\r\n")}) {
    FakeServer server([&](const std::string&) { return refusal; });
    const auto redis = begin(hasty(settings_of("redis://someone:" + secret + "@" + server.url().substr(8))));
    ASSERT_TRUE(until([&] { return told("AUTH was refused"); }));
    EXPECT_NE(server.heard().find("AUTH\r\n$7\r\nsomeone\r\n$28\r\n" + secret), std::string::npos);
    EXPECT_FALSE(told(secret.substr(0, 8)));
    events.clear();
  }
}

TEST_F(Faults, WhatAServerSaysIsBoundedAndHasNoControlCharactersInTheLog) {
  FakeServer server([](const std::string&) { return "-ERR \x1b[31mred" + std::string(5'000, 'x') + "\r\n"; });
  const auto redis = begin(hasty(settings_of(server.url())));
  ASSERT_TRUE(until([&] { return told("PING was refused"); }));
  EXPECT_FALSE(told("\x1b"));
  EXPECT_LT(events.front().size(), 400u);
}

TEST_F(Faults, WhatIsToldIsALineWhoeverHasSaidIt) {
  const std::string odd = "NOPERM \x1b[31mred\x7f" + std::string(5'000, 'x');
  FakeServer server(FakeServer::after_greeting("-" + odd + "\r\n"));
  const std::string at = server.url().substr(8);
  const auto redis = begin(hasty(settings_of("redis://" + at)));
  const auto sentinel = begin(hasty(settings_of("redis+sentinel://" + at + "/m")));
  Ear ear;
  const auto hears = redis->subscribe(Subscribed::channel, "a\nroom" + std::string(5'000, 'x'), ear);
  ASSERT_TRUE(until([&] { return told("cannot subscribe to a room") && told("does not know: NOPERM"); }));
  EXPECT_TRUE(until([&] { return told("refuses commands: NOPERM"); }));
  for (const std::string& each : events) {
    EXPECT_LT(each.size(), 400u);
    EXPECT_EQ(each.find_first_of("\x1b\n\x7f"), std::string::npos) << each;
  }
}

TEST_F(Faults, WhatItsUserMayNotDoIsToldOnce) {
  FakeServer server([](const std::string& heard) -> std::string {
    return heard.find("EVALSHA") == std::string::npos ? "+PONG\r\n"
                                                      : "-NOPERM no permissions to run 'evalsha'\r\n";
  });
  const auto redis = begin(hasty(settings_of(server.url())));
  ASSERT_TRUE(until([&] { return redis->up(); }));
  for (int i = 0; i < 3; ++i) {
    bool answered = false;
    redis->command({"EVALSHA", "x", "0"}, [&](const Result&) { answered = true; });
    ASSERT_TRUE(until([&] { return answered; }));
  }
  EXPECT_TRUE(until([&] { return told("refuses commands: NOPERM no permissions to run 'evalsha'"); }));
  EXPECT_EQ(std::ranges::count_if(events, [](const auto& it) { return it.find("NOPERM") != it.npos; }), 1);
}

TEST_F(Faults, ARefusedSubscriptionIsAskedForAgain) {
  FakeServer server([n = 0](const std::string& heard) mutable -> std::string {
    if (heard.find("SUBSCRIBE") == std::string::npos) return "+PONG\r\n";
    return n++ < 3 ? "-NOPERM this user has no permissions to access the channel\r\n"
                   : "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
  });
  const auto redis = begin(hasty(settings_of(server.url())));
  Ear ear;
  const auto hears = redis->subscribe(Subscribed::channel, "c", ear);
  EXPECT_TRUE(until([&] { return ear.subscribed == 1; }));
  EXPECT_TRUE(told("cannot subscribe to c: NOPERM"));
  EXPECT_EQ(ear.gaps, 0);
}

TEST_F(Faults, ANameThatDoesNotResolveIsTriedAgain) {
  auto settings = hasty(settings_of("redis://no-such-host.invalid"));
  const auto redis = begin(settings);
  EXPECT_TRUE(until([&] { return told("the name does not resolve"); }));
  EXPECT_TRUE(until([&] { return redis->totals().connects_failed > 3; }));
}

TEST_F(Faults, NobodyListensThere) {
  const auto redis = begin(hasty(settings_of("redis://127.0.0.1:" + std::to_string(free_port()))));
  EXPECT_TRUE(until([&] { return told("Connection refused"); }));
  const auto unix = begin(hasty(settings_of("unix:///tmp/limpet-no-such-socket")));
  EXPECT_TRUE(until([&] { return told("No such file or directory"); }));
}

}  // namespace
}  // namespace limpet::redis
