// What is written to a stream and read from it.
#include <gmock/gmock.h>

#include <vector>

#include "tests/unit/cluster/streams_world.h"

namespace limpet::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

using Streams = StreamsWorld;

TEST_F(Streams, ABroadcastReachesEachOnceInOrder) {
  Node &a = streams_node(), &b = streams_node();
  until_reading(b);
  FakeSocket &here = a.host.add("here"), &there = b.host.add("there");
  codec::Args bytes;
  bytes.add(codec::Binary{std::string("\0\xff", 2)});
  for (int i = 0; i < 300; ++i) tell(a, "n", {i});
  tell(a, "bytes", bytes);
  EXPECT_THAT(here.heard, IsEmpty());  // not before Redis has it
  ASSERT_TRUE(until([&] { return here.heard.size() == 301 && there.heard.size() == 301; }));
  EXPECT_EQ(here.heard, there.heard);
  EXPECT_EQ(here.heard[7], R"(["n",7])");
  EXPECT_EQ(here.heard[300], R"(["bytes",{"type":"Buffer","data":[0,255]}])");
}

TEST_F(Streams, EntriesAreAsNodeJsWritesThem) {
  Node& a = streams_node();
  tell(a, "ev", {1}, {{"r"}, {}, {}});
  ASSERT_TRUE(until([&] { return (*server)({"XLEN", "socket.io"}) == "1"; }));
  EXPECT_THAT(
      (*server)({"XRANGE", "socket.io", "-", "+"}),
      MatchesRegex("[0-9]+-[0-9]+ uid [0-9a-f]+ nsp / type 3 data "
                   "\\{\"packet\":\\{\"type\":2,\"data\":\\[\"ev\",1\\]\\},\"opts\":\\{\"rooms\":\\[\"r\"\\],"
                   "\"except\":\\[\\],\"flags\":\\{\\}\\}\\}"));
}

TEST_F(Streams, NothingBetweenTheStartAndTheFirstReadIsMissed) {
  (*server)({"XADD", "socket.io", "*", "uid", "old", "nsp", "/", "type", "3", "data", "{}"});
  Node& a = streams_node();
  FakeSocket& socket = a.host.add("s");
  until_reading(a);
  EXPECT_EQ(a.tally->malformed, 0U);  // what was there before is nothing to us
  add_event("x");
  ASSERT_TRUE(until_heard(socket, 1));
}

TEST_F(Streams, RoomsChangeOnAllNodesInTurn) {
  Node &a = streams_node(), &b = streams_node();
  until_reading(b);
  FakeSocket &here = a.host.add("here", {"g"}), &there = b.host.add("there", {"g"});
  a->join({{"g"}, {}, {}}, {"new"});
  tell(a, "x", {}, {{"new"}, {}, {}});
  a->leave({{"g"}, {}, {}}, {"new"});
  tell(a, "y", {}, {{"new"}, {}, {}});
  tell(a, "end", {});
  ASSERT_TRUE(until([&] { return here.heard.size() == 2 && there.heard.size() == 2; }));
  EXPECT_THAT(here.heard, ElementsAre(R"(["x"])", R"(["end"])"));
  EXPECT_THAT(there.heard, ElementsAre(R"(["x"])", R"(["end"])"));
  a->disconnect({{"g"}, {}, {}}, false);
  ASSERT_TRUE(until([&] { return a.host.gone.size() == 1 && b.host.gone.size() == 1; }));
}

TEST_F(Streams, QuestionsGoByChannels) {
  for (const bool is_sharded : {false, true}) {
    nodes.clear();
    ASSERT_TRUE(until([&] { return subscribers(is_sharded, "/") == 0; }));
    StreamsSettings settings;
    settings.sharded_pubsub = is_sharded;
    Node &a = streams_node(settings), &b = streams_node(settings);
    a.host.add("1");
    b.host.add("2");
    Outcome fetched, answered;
    a->fetch_sockets({}, fetched.found());
    a->server_side_emit("x", {}, answered.answered());
    ASSERT_TRUE(until([&] { return fetched.done() && answered.done(); }));
    EXPECT_THAT(fetched.ids(), ElementsAre("1", "2"));
    EXPECT_EQ(answered.answers, "[null]");
    std::size_t asked = 0, acks = 0;
    a->broadcast_with_ack(
        {"ask", {}}, {}, [&](std::size_t count) { asked += count; }, [&](const codec::Args&) { ++acks; });
    ASSERT_TRUE(until([&] { return asked == 2; }));
    b.host.answer({1});
    ASSERT_TRUE(until([&] { return acks == 1; }));
    EXPECT_EQ((*server)({"XLEN", "socket.io"}), "0");
  }
}

TEST_F(Streams, WhatAnEmitterWritesIsHeardToo) {
  Node& a = streams_node();
  until_reading(a);
  int times = 0;
  a.host.handlers["hello"] = [&](const codec::Args&, const FakeHost::Reply&) { ++times; };
  add_entry("9", R"({"packet":["hello",1]})", "emitter");
  ASSERT_TRUE(until([&] { return times == 1; }));
}

TEST_F(Streams, WhatIsNotUnderstoodIsCountedAndChangesNothing) {
  Node& a = streams_node();
  until_reading(a);
  FakeSocket& socket = a.host.add("1");
  add_entry("x", "{}");
  add_entry("3", "{");
  add_entry("3", "!!");
  add_entry("3", "{}");
  add_entry("99", "{}");
  add_entry("4", R"({"opts":{},"rooms":7})");
  add_event("connect");
  add_entry("2", "");
  add_entry("13", "");
  (*server)({"XADD", "socket.io", "*", "a", "b"});
  (*server)({"XADD", "socket.io", "*", "nsp", "/"});
  add_entry("3", "{}", "peer", "/other");
  add_event("well");
  ASSERT_TRUE(until_heard(socket, 1));
  EXPECT_THAT(socket.heard, ElementsAre(R"(["well"])"));
  EXPECT_EQ(a.tally->malformed, 8U);
}

TEST_F(Streams, WithoutRedisWhatIsSaidIsDoneHereAtOnceInOrder) {
  Node& a = streams_node(recovery());
  FakeSocket& socket = a.host.add("1");
  tell(a, "before", {});
  ASSERT_TRUE(until_heard(socket, 1));
  server->end();
  ASSERT_TRUE(until([&] { return !a.link->up(); }));
  a->join({{"1"}, {}, {}}, {"room"});
  tell(a, "x", {}, {{"room"}, {}, {}});
  tell(a, "y", {});
  EXPECT_THAT(socket.heard, ElementsAre(HasSubstr("before"), R"(["x"])", R"(["y"])"));
  EXPECT_GE(a.link->totals().publishes_failed, 3U);
}

TEST_F(Streams, TheReaderGoesOnWhereItWas) {
  Node& a = streams_node();
  until_reading(a);
  FakeSocket& socket = a.host.add("1");
  (*server)({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"});
  add_event("meanwhile");
  ASSERT_TRUE(until_heard(socket, 1));
  EXPECT_THAT(socket.heard, ElementsAre(R"(["meanwhile"])"));
  EXPECT_EQ(a.tally->malformed, 0U);
}

TEST_F(Streams, AStreamThatWasDeletedIsReadAnew) {
  StreamsSettings settings;
  settings.block_ms = 50;
  Node& a = streams_node(settings);
  until_reading(a);
  FakeSocket& socket = a.host.add("1");
  (*server)({"DEL", "socket.io"});
  ASSERT_TRUE(until([&] { return a.tally->gaps > 0; }));
  (*server)({"XADD", "socket.io", "5-1", "uid", "x", "nsp", "/", "type", "3", "data",
             R"({"packet":{"data":["new"]},"opts":{}})"});  // another server's clock
  ASSERT_TRUE(until_heard(socket, 1));
}

TEST_F(Streams, EntriesThatWereTrimmedUnreadAreAGap) {
  Node& a = streams_node();
  until_reading(a);
  FakeSocket& socket = a.host.add("1");
  a.link.get();
  const auto before = a.tally->gaps;
  (*server)({"MULTI"});
  redis::Admin admin(server->socket());
  admin({"CLIENT", "KILL", "TYPE", "normal"});
  admin({"XADD", "socket.io", "*", "nsp", "/none"});
  admin({"XADD", "socket.io", "*", "uid", "x", "nsp", "/", "type", "3", "data",
         R"({"packet":{"data":["new"]},"opts":{}})"});
  admin({"XTRIM", "socket.io", "MAXLEN", "1"});
  ASSERT_TRUE(until_heard(socket, 1));
  EXPECT_GT(a.tally->gaps, before);
}

TEST_F(Streams, EntriesThatAreTooLargeForOneAnswerAreReadInSeveral) {
  max_reply_bytes = 64 * 1024;
  Node& a = streams_node();
  until_reading(a);
  FakeSocket& socket = a.host.add("1");
  const auto before = a.tally->gaps;
  (*server)({"CLIENT", "KILL", "TYPE", "normal"});
  for (int i = 0; i < 10; ++i) add_event(std::string(20'000, 'x'));
  ASSERT_TRUE(until_heard(socket, 10));
  EXPECT_EQ(a.tally->gaps, before);
}

TEST_F(Streams, AnEntryThatIsTooLargeForAnyAnswerIsPassedOver) {
  max_reply_bytes = 64 * 1024;
  Node& a = streams_node();
  until_reading(a);
  FakeSocket& socket = a.host.add("1");
  add_event(std::string(100'000, 'x'));
  ASSERT_TRUE(until([&] { return a.tally->gaps > 0; }));
  ASSERT_TRUE(until([&] {
    add_event("after");
    return !socket.heard.empty();
  }));
  EXPECT_EQ(socket.heard[0], R"(["after"])");
}

TEST_F(Streams, ANamespaceIsWrittenWhereNodeJsWritesItAndReadThere) {
  StreamsSettings settings;
  settings.stream_count = 3;
  Node &a = streams_node(settings, "/dashboard"), &b = streams_node(settings, "/dashboard");
  FakeSocket& there = b.host.add("1");
  ASSERT_TRUE(until([&] {
    tell(a, "x", {});
    return !there.heard.empty();
  }));
  EXPECT_NE((*server)({"XLEN", "socket.io--1"}), "0");
  EXPECT_EQ((*server)({"EXISTS", "socket.io-0", "socket.io-1", "socket.io-2"}), "0");
}

TEST_F(Streams, OtherNumbersOfStreamsAreToldOnce) {
  std::vector<std::string> warnings;
  StreamsSettings settings;
  settings.stream_count = 3;
  settings.on_warning = [&](std::string_view what) { warnings.emplace_back(what); };
  Node& a = streams_node(settings);  // "/" is in socket.io-2
  FakeSocket& socket = a.host.add("1");
  ASSERT_TRUE(until([&] {
    add_entry("3", R"({"packet":{"data":["x"]},"opts":{}})", "peer", "/", "socket.io-0");
    return socket.heard.size() > 1;
  }));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("socket.io-0")));
}

}  // namespace
}  // namespace limpet::cluster
