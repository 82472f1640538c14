#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cluster/family_world.h"

namespace limpet::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using ShardedTest = FamilyWorld;

TEST_F(ShardedTest, ABroadcastReachesEachOnce) {
  Node &a = sharded_node(), &b = sharded_node();
  FakeSocket &here = a.host.add("here"), &there = b.host.add("there"), &not_there = b.host.add("not");
  tell(a, "x", {1, "\xc3\xa9"}, {{}, {"not"}, {}});
  EXPECT_THAT(here.heard, ElementsAre("[\"x\",1,\"\xc3\xa9\"]"));
  ASSERT_TRUE(until_heard(there, 1));
  codec::Args bytes;
  bytes.add(codec::Binary{std::string("\0\xff", 2)});
  tell(a, "y", bytes);
  ASSERT_TRUE(until_heard(there, 2));
  EXPECT_THAT(there.heard,
              ElementsAre("[\"x\",1,\"\xc3\xa9\"]", R"(["y",{"type":"Buffer","data":[0,255]}])"));
  EXPECT_THAT(not_there.heard, ElementsAre(R"(["y",{"type":"Buffer","data":[0,255]}])"));
  EXPECT_EQ(here.heard.size(), 2U);
  EXPECT_EQ(b.tally->received, 2U);
}

TEST_F(ShardedTest, LocalStaysHere) {
  Node &a = sharded_node(), &b = sharded_node();
  FakeSocket &here = a.host.add("here"), &there = b.host.add("there");
  adapter::Target local;
  local.flags.local = true;
  tell(a, "mine", {}, local);
  tell(a, "all", {});
  ASSERT_TRUE(until_heard(there, 1));
  EXPECT_THAT(there.heard, ElementsAre(R"(["all"])"));
  EXPECT_EQ(here.heard.size(), 2U);
}

TEST_F(ShardedTest, ANodeListensToARoomWhileSomebodyIsInIt) {
  Node& a = sharded_node();
  Node& b = sharded_node();
  FakeSocket& socket = b.host.add("s");
  const auto channels = [&] { return (*server)({"PUBSUB", "SHARDCHANNELS", "socket.io#/#r*"}); };
  EXPECT_EQ(channels(), "");
  b.host.rooms().join(socket, "room");
  ASSERT_TRUE(until([&] { return channels() == "socket.io#/#room#"; }));
  tell(a, "x", {}, {{"room"}, {}, {}});
  ASSERT_TRUE(until_heard(socket, 1));
  b.host.rooms().leave(socket, "room");
  ASSERT_TRUE(until([&] { return channels().empty(); }));
}

TEST_F(ShardedTest, RoomsAreHeardWhereTheModeHasThem) {
  for (const auto mode :
       {SubscriptionMode::static_, SubscriptionMode::dynamic, SubscriptionMode::dynamic_private}) {
    nodes.clear();
    ASSERT_TRUE(until([&] { return subscribers(true, "/") == 0; }));
    ShardedSettings settings;
    settings.mode = mode;
    Node &a = sharded_node(settings), &b = sharded_node(settings);
    FakeSocket& socket = b.host.add("AAAAAAAAAAAAAAAAAAAA", {"public room, 20 char", "r",
                                                             "\xff"
                                                             "42"});
    const std::size_t expected = mode == SubscriptionMode::static_   ? 0
                                 : mode == SubscriptionMode::dynamic ? 3
                                                                     : 4;
    ASSERT_TRUE(until([&] {
      const std::string all = (*server)({"PUBSUB", "SHARDCHANNELS", "*"});
      return static_cast<std::size_t>(std::count(all.begin(), all.end(), '#')) ==
             2 * 1 + 2 * 3 + 3 * expected - 0;
    })) << (*server)({"PUBSUB", "SHARDCHANNELS", "*"});
    for (const char* room : {"AAAAAAAAAAAAAAAAAAAA", "public room, 20 char", "r",
                             "\xff"
                             "42"})
      tell(a, "x", {room[0] == '\xff' ? "number" : room}, {{room}, {}, {}});
    tell(a, "nobody", {}, {{"42"}, {}, {}});
    tell(a, "end", {});
    ASSERT_TRUE(until_heard(socket, 5));
    EXPECT_THAT(socket.heard,
                UnorderedElementsAre(R"(["x","AAAAAAAAAAAAAAAAAAAA"])", R"(["x","public room, 20 char"])",
                                     R"(["x","r"])", R"(["x","number"])", R"(["end"])"));
  }
}

// B may join the room named after A's id and leave it, while A stays; and the other way round.
TEST_F(ShardedTest, ARoomNamedAfterASocketIsHeardWhileEitherIsThere) {
  for (const auto mode : {SubscriptionMode::dynamic, SubscriptionMode::dynamic_private}) {
    nodes.clear();
    ASSERT_TRUE(until([&] { return subscribers(true, "/") == 0; }));
    ShardedSettings settings;
    settings.mode = mode;
    Node &here = sharded_node(settings), &there = sharded_node(settings);
    FakeSocket &a = there.host.add("rA"), &b = there.host.add("B");
    const auto channels = [&] { return (*server)({"PUBSUB", "SHARDCHANNELS", "socket.io#/#r*"}); };
    ASSERT_TRUE(until([&] { return channels() == "socket.io#/#rA#"; }));
    there.host.rooms().join(b, "rA");
    there.host.rooms().leave(b, "rA");
    there.host.rooms().join(b, "rEnd");
    ASSERT_TRUE(until([&] { return channels().find("rEnd") != std::string::npos; }));
    tell(here, "a", {}, {{"rA"}, {}, {}});
    tell(here, "end", {});
    ASSERT_TRUE(until_heard(b, 1));
    EXPECT_THAT(a.heard, UnorderedElementsAre(R"(["a"])", R"(["end"])"));
    there.host.rooms().join(b, "rA");
    there.host.rooms().remove(a);
    there.host.rooms().leave(b, "rEnd");
    ASSERT_TRUE(until([&] { return channels().find("rEnd") == std::string::npos; }));
    tell(here, "b", {}, {{"rA"}, {}, {}});
    tell(here, "end", {});
    ASSERT_TRUE(until([&] { return b.heard.back() == R"(["end"])" && b.heard.size() > 1; }));
    EXPECT_THAT(b.heard, testing::Contains(R"(["b"])"));
    there.host.rooms().remove(b);
    ASSERT_TRUE(until([&] { return channels().empty(); }));
  }
}

TEST_F(ShardedTest, ANumberAndItsTextShareAChannelAndAreHeardOnce) {
  const std::string number =
      "\xff"
      "42";
  Node &a = sharded_node(), &b = sharded_node();
  FakeSocket &text = b.host.add("text", {"42"}), &count = b.host.add("count", {number});
  const auto hearers = [&] { return (*server)({"PUBSUB", "SHARDNUMSUB", "socket.io#/#42#"}); };
  ASSERT_TRUE(until([&] { return hearers() == "socket.io#/#42# 1"; }));
  tell(a, "text", {}, {{"42"}, {}, {}});
  tell(a, "number", {}, {{number}, {}, {}});
  say(true, "socket.io#/#42#", R"({"type":3,"data":{"packet":{"data":["end"]},"opts":{}},"nsp":"/"})");
  ASSERT_TRUE(until([&] { return text.heard.size() > 1 && text.heard.back() == R"(["end"])"; }));
  EXPECT_THAT(text.heard, ElementsAre(R"(["text"])", R"(["end"])"));
  EXPECT_THAT(count.heard, ElementsAre(R"(["number"])", R"(["end"])"));
  b.host.rooms().leave(text, "42");
  tell(a, "still", {}, {{number}, {}, {}});
  ASSERT_TRUE(until_heard(count, 3));
  b.host.rooms().remove(count);
  ASSERT_TRUE(until([&] { return hearers() == "socket.io#/#42# 0"; }));
}

TEST_F(ShardedTest, RoomsChangeOnAllNodes) {
  Node &a = sharded_node(), &b = sharded_node();
  FakeSocket &here = a.host.add("here", {"g"}), &there = b.host.add("there", {"g"});
  a->join({{"g"}, {}, {}}, {"new",
                            "\xff"
                            "7"});
  EXPECT_THAT(a.host.rooms_of(here), ElementsAre("here", "g", "new",
                                                 "\xff"
                                                 "7"));
  ASSERT_TRUE(until([&] { return b.host.rooms_of(there).size() == 4; }));
  a->leave({{"g"}, {}, {}}, {"g"});
  ASSERT_TRUE(until([&] { return b.host.rooms_of(there).size() == 3; }));
  a->disconnect({{"new"}, {"here"}, {}}, true);
  ASSERT_TRUE(until([&] { return !b.host.gone.empty(); }));
  EXPECT_THAT(b.host.gone, ElementsAre("there closed"));
  EXPECT_THAT(a.host.gone, IsEmpty());
}

TEST_F(ShardedTest, SocketsOfAllNodesAreFound) {
  Node &a = sharded_node(), &b = sharded_node(), &c = sharded_node();
  a.host.add("1");
  b.host.add("2");
  c.host.add("3");
  c.host.add("not");
  Outcome outcome;
  a->fetch_sockets({{}, {"not"}, {}}, outcome.found());
  ASSERT_TRUE(until([&] { return outcome.done(); }));
  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.ids(), UnorderedElementsAre("1", "2", "3"));
  std::size_t count = 0;
  a->server_count([&](std::size_t nodes) { count = nodes; });
  ASSERT_TRUE(until([&] { return count == 3; }));
  EXPECT_TRUE(until([&] { return a.tally->nodes == 3 || count == 3; }));
}

TEST_F(ShardedTest, ServersAnswerEachOther) {
  Node &a = sharded_node(), &b = sharded_node();
  sharded_node();  // nobody listens there
  std::string heard;
  b.host.handlers["hello"] = [&](const codec::Args& args, FakeHost::Reply reply) {
    heard += FakeHost::json(args);
    if (!reply) return;
    codec::Args bytes;
    bytes.add(codec::Binary{"\x05"});
    reply(bytes);
    reply(bytes);  // once is enough
  };
  a->server_side_emit("hello", {1}, {});
  ASSERT_TRUE(until([&] { return heard == "[1]"; }));
  Outcome outcome;
  a->server_side_emit("hello", {2}, outcome.answered());
  ASSERT_TRUE(until([&] { return outcome.done(); }));
  EXPECT_EQ(outcome.error, "");
  EXPECT_TRUE(outcome.answers == R"([{"type":"Buffer","data":[5]},null])" ||
              outcome.answers == R"([null,{"type":"Buffer","data":[5]}])")
      << outcome.answers;
}

TEST_F(ShardedTest, ClientsOfAllNodesAnswer) {
  Node &a = sharded_node(), &b = sharded_node();
  a.host.add("1");
  b.host.add("2");
  b.host.add("3");
  std::size_t asked = 0;
  std::vector<std::string> answers;
  adapter::Target target;
  target.flags.timeout_ms = 5'000;
  a->broadcast_with_ack(
      {"ask", {}}, target, [&](std::size_t count) { asked += count; },
      [&](const codec::Args& answer) { answers.push_back(FakeHost::json(answer)); });
  ASSERT_TRUE(until([&] { return asked == 3; }));
  a.host.answer({"a"});
  b.host.answer({"b"});
  ASSERT_TRUE(until([&] { return answers.size() == 3; }));
  EXPECT_THAT(answers, UnorderedElementsAre(R"(["a"])", R"(["b"])", R"(["b"])"));
}

TEST_F(ShardedTest, EmittersNeedNoUidAndNoFlags) {
  FakeSocket& socket = sharded_node().host.add("1");
  say(true, "socket.io#/#",
      R"({"type":3,"data":{"packet":{"type":2,"data":["x"]},"opts":{"rooms":[],"except":[]}},"nsp":"/"})");
  EXPECT_TRUE(until_heard(socket, 1));
}

TEST_F(ShardedTest, WhatIsNotUnderstoodIsCountedAndChangesNothing) {
  Node& a = sharded_node();
  FakeSocket& socket = a.host.add("1");
  const char* bodies[] = {
      "",
      "{",
      "\xc1",
      "[]",
      R"({"type":3})",
      R"({"type":3,"nsp":"/","data":5})",
      R"({"type":99,"nsp":"/","data":{}})",
      R"({"type":3,"nsp":"/","uid":"x","data":{"packet":{"data":["connect"]},"opts":{}}})",
      R"({"type":3,"nsp":"/","data":{"packet":{"data":["e"]},"opts":{},"requestId":"r"}})",
      R"({"type":4,"nsp":"/","data":{"opts":{},"rooms":5}})",
      R"({"type":5,"nsp":"/","data":{}})",
      R"({"type":6,"nsp":"/","data":{"opts":5}})",
      R"({"type":7,"nsp":"/","uid":"x","data":{"opts":{}}})",
      R"({"type":7,"nsp":"/","data":{"opts":{},"requestId":"r"}})",
      R"({"type":8,"nsp":"/","data":{}})",
      R"({"type":8,"nsp":"/","data":{"requestId":"r","sockets":5}})",
      R"({"type":8,"nsp":"/","data":{"requestId":"r","sockets":[5]}})",
      R"({"type":9,"nsp":"/","data":{}})",
      R"({"type":9,"nsp":"/","data":{"packet":["e"],"requestId":"r"}})",
      R"({"type":10,"nsp":"/","data":{}})",
      R"({"type":11,"nsp":"/","data":{"requestId":"r","clientCount":-1}})",
      R"({"type":12,"nsp":"/","data":{}})",
      R"({"type":64,"nsp":"/","data":{}})"};
  for (const char* body : bodies) say(true, "socket.io#/#", body);
  say(true, "socket.io#/#", R"({"type":2,"nsp":"/","uid":"x"})");       // a heartbeat: no fault
  say(true, "socket.io#/#", R"({"type":3,"nsp":"/other","data":{}})");  // another namespace's
  say(true, "socket.io#/#", R"({"type":10,"nsp":"/","data":{"requestId":"nobody's"}})");
  say(true, "socket.io#/#", R"({"type":3,"nsp":"/","data":{"packet":{"data":["well"]},"opts":{}}})");
  ASSERT_TRUE(until_heard(socket, 1));
  EXPECT_THAT(socket.heard, ElementsAre(R"(["well"])"));
  // `{"type":3}` has no namespace: it is another's.
  EXPECT_EQ(a.tally->malformed, std::size(bodies) - 1);
  EXPECT_EQ(a.tally->received, 2U);
}

TEST_F(ShardedTest, WithoutRedisTheNodeIsAlone) {
  Node& a = sharded_node();
  FakeSocket& socket = a.host.add("1");
  server->end();
  ASSERT_TRUE(until([&] { return !a.link->up(); }));
  tell(a, "x", {});
  EXPECT_THAT(socket.heard, ElementsAre(R"(["x"])"));
  Outcome outcome;
  a->fetch_sockets({}, outcome.found());
  ASSERT_TRUE(until([&] { return outcome.done(); }));
  EXPECT_NE(outcome.error, "");
  EXPECT_THAT(outcome.ids(), ElementsAre("1"));
  std::size_t count = 0;
  a->server_count([&](std::size_t nodes) { count = nodes; });
  EXPECT_TRUE(until([&] { return count == 1; }));
  EXPECT_GE(a.tally->gaps, 1U);
  server->start();
  ASSERT_TRUE(until([&] { return a.link->up() && subscribers(true, "/") == 1; }));
  (*server)(
      {"SPUBLISH", "socket.io#/#", R"({"type":3,"nsp":"/","data":{"packet":{"data":["again"]},"opts":{}}})"});
  EXPECT_TRUE(until_heard(socket, 2));
}

TEST_F(ShardedTest, WhatIsOwedIsCalledWhenItGoes) {
  Node& a = sharded_node();
  sharded_node().host.add("2");
  Outcome fetched, answered;
  a->fetch_sockets({}, fetched.found());
  a->server_side_emit("x", {}, answered.answered());
  int counted = 0;
  a->server_count([&](std::size_t) { ++counted; });
  a.adapter.reset();
  EXPECT_EQ(fetched.times, 1);
  EXPECT_EQ(counted, 1);
  EXPECT_NE(fetched.error, "");
  EXPECT_EQ(answered.times, 1);
  EXPECT_TRUE(until([&] { return subscribers(true, "/") == 1; }));
}

// A handler that asks others before it replies does so when the namespace stops, too.
TEST_F(ShardedTest, AReplyThatIsOwedWhenItGoesIsNotSaid) {
  Node &a = sharded_node(), &b = sharded_node();
  FakeHost::Reply reply;
  a.host.handlers["ask"] = [&](const codec::Args&, FakeHost::Reply its) { reply = std::move(its); };
  Outcome answered;
  b->server_side_emit("ask", {}, answered.answered());
  ASSERT_TRUE(until([&] { return reply != nullptr; }));
  tell(a, std::string(1000, 'x'), {});  // both writers have memory of their own
  codec::Args bytes;
  bytes.add(codec::Binary{std::string(1000, 'x')});
  tell(a, "bytes", bytes);
  int times = 0;
  a->fetch_sockets({}, [&](std::string_view, const std::vector<adapter::RemoteSocket>&) {
    ++times;
    reply({std::string(100, 'y')});
    reply(bytes);
  });
  a.adapter.reset();
  EXPECT_EQ(times, 1);
  EXPECT_FALSE(answered.done());
  b.adapter.reset();
  EXPECT_TRUE(answered.done()) << "who has asked is told when it goes itself";
}

}  // namespace
}  // namespace limpet::cluster
