#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "backend/cluster/saved_session.h"
#include "tests/unit/cluster/family_world.h"

namespace limpet::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::UnorderedElementsAre;

class StreamsTest : public FamilyWorld {
 protected:
  std::string add_entry(const std::string& type, const std::string& data, const std::string& uid = "peer",
                        const std::string& nsp = "/", const std::string& stream = "socket.io") {
    return (*server)({"XADD", stream, "*", "uid", uid, "nsp", nsp, "type", type, "data", data});
  }
  std::string add_event(const std::string& name, const std::string& opts = "{}") {
    return add_entry("3", R"({"packet":{"type":2,"data":[")" + name + R"("]},"opts":)" + opts + "}");
  }
  // Reads from here on.
  void until_reading(Node& node) {
    FakeSocket& probe = node.host.add("probe");
    ASSERT_TRUE(until([&] {
      add_event("probe", R"({"rooms":["probe"]})");
      return !probe.heard.empty();
    }));
    node.host.rooms().remove(probe);
  }
  static StreamsSettings recovery(bool eager = false) {
    StreamsSettings settings;
    settings.max_disconnection_ms = 60'000;
    settings.eager = eager;
    return settings;
  }
  static std::string text(const adapter::Encoded& packet) { return std::string(packet.head->body()); }
  struct Back {
    int times = 0;
    std::optional<adapter::Restored> restored;
    std::vector<std::string> missed;
    bool done() const { return times > 0; }
    auto take() {
      return [this](std::optional<adapter::Restored> found) {
        ++times;
        restored = std::move(found);
        if (!restored) return;
        for (const auto& packet : restored->missed) missed.push_back(text(packet));
      };
    }
  };
  static std::string offset_of(const std::string& heard) {
    const auto end = heard.rfind('"');
    const auto begin = heard.rfind('"', end - 1);
    return heard.substr(begin + 1, end - begin - 1);
  }
};

TEST_F(StreamsTest, ABroadcastReachesEachOnceInOrder) {
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

TEST_F(StreamsTest, EntriesAreAsNodeJsWritesThem) {
  Node& a = streams_node();
  tell(a, "ev", {1}, {{"r"}, {}, {}});
  ASSERT_TRUE(until([&] { return (*server)({"XLEN", "socket.io"}) == "1"; }));
  EXPECT_THAT(
      (*server)({"XRANGE", "socket.io", "-", "+"}),
      MatchesRegex("[0-9]+-[0-9]+ uid [0-9a-f]+ nsp / type 3 data "
                   "\\{\"packet\":\\{\"type\":2,\"data\":\\[\"ev\",1\\]\\},\"opts\":\\{\"rooms\":\\[\"r\"\\],"
                   "\"except\":\\[\\],\"flags\":\\{\\}\\}\\}"));
}

TEST_F(StreamsTest, NothingBetweenTheStartAndTheFirstReadIsMissed) {
  (*server)({"XADD", "socket.io", "*", "uid", "old", "nsp", "/", "type", "3", "data", "{}"});
  Node& a = streams_node();
  FakeSocket& socket = a.host.add("s");
  until_reading(a);
  EXPECT_EQ(a.tally->malformed, 0U);  // what was there before is nothing to us
  add_event("x");
  ASSERT_TRUE(until_heard(socket, 1));
}

TEST_F(StreamsTest, RoomsChangeOnAllNodesInTurn) {
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

TEST_F(StreamsTest, QuestionsGoByChannels) {
  for (const bool is_sharded : {false, true}) {
    nodes.clear();
    ASSERT_TRUE(until([&] { return subscribers(is_sharded, "/") == 0; }));
    StreamsSettings settings;
    settings.sharded_pubsub = is_sharded;
    Node &a = streams_node(settings), &b = streams_node(settings);
    a.host.add("1");
    b.host.add("2");
    Outcome fetched, answered;
    a->fetch_sockets({}, fetched.fetched());
    a->server_side_emit("x", {}, answered.answered());
    ASSERT_TRUE(until([&] { return fetched.done() && answered.done(); }));
    EXPECT_THAT(fetched.found, ElementsAre("1", "2"));
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

TEST_F(StreamsTest, WhatAnEmitterWritesIsHeardToo) {
  Node& a = streams_node();
  until_reading(a);
  int times = 0;
  a.host.handlers["hello"] = [&](const codec::Args&, const FakeHost::Reply&) { ++times; };
  add_entry("9", R"({"packet":["hello",1]})", "emitter");
  ASSERT_TRUE(until([&] { return times == 1; }));
}

TEST_F(StreamsTest, WhatIsNotUnderstoodIsCountedAndChangesNothing) {
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

TEST_F(StreamsTest, WithoutRedisWhatIsSaidIsDoneHereAtOnceInOrder) {
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

TEST_F(StreamsTest, TheReaderGoesOnWhereItWas) {
  Node& a = streams_node();
  until_reading(a);
  FakeSocket& socket = a.host.add("1");
  (*server)({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"});
  add_event("meanwhile");
  ASSERT_TRUE(until_heard(socket, 1));
  EXPECT_THAT(socket.heard, ElementsAre(R"(["meanwhile"])"));
  EXPECT_EQ(a.tally->malformed, 0U);
}

TEST_F(StreamsTest, AStreamThatWasDeletedIsReadAnew) {
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

TEST_F(StreamsTest, EntriesThatWereTrimmedUnreadAreAGap) {
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

TEST_F(StreamsTest, EntriesThatAreTooLargeForOneAnswerAreReadInSeveral) {
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

TEST_F(StreamsTest, AnEntryThatIsTooLargeForAnyAnswerIsPassedOver) {
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

TEST_F(StreamsTest, ANamespaceIsWrittenWhereNodeJsWritesItAndReadThere) {
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

TEST_F(StreamsTest, OffsetsAreTheEntriesIds) {
  Node &a = streams_node(recovery()), &b = streams_node(recovery());
  EXPECT_TRUE(a->appends_offsets());
  until_reading(b);
  FakeSocket &here = a.host.add("here"), &there = b.host.add("there");
  adapter::Target fleeting;
  fleeting.flags.volatile_ = true;
  tell(a, "x", {1});
  tell(a, "y", {2}, fleeting);
  ASSERT_TRUE(until([&] { return here.heard.size() == 2 && there.heard.size() == 2; }));
  EXPECT_EQ(here.heard, there.heard);
  EXPECT_THAT(here.heard, ElementsAre(MatchesRegex("\\[\"x\",1,\"[0-9]+-[0-9]+\"\\]"), R"(["y",2])"));
}

TEST_F(StreamsTest, WhoComesBackHasMissedWhatConcernsIt) {
  Node &a = streams_node(recovery()), &b = streams_node(recovery());
  until_reading(b);
  FakeSocket& here = a.host.add("here");
  tell(a, "seen", {});
  ASSERT_TRUE(until_heard(here, 1));
  const std::string offset = offset_of(here.heard[0]);
  a->persist({"sid", "pid", {"sid", "room"}, {{"user", 1}}});
  tell(a, "room", {}, {{"room"}, {}, {}});
  tell(a, "not mine", {}, {{"elsewhere"}, {}, {}});
  tell(a, "not me", {}, {{}, {"sid"}, {}});
  tell(a, "mine", {}, {{"sid"}, {}, {}});
  tell(a, "end", {}, {{"here"}, {}, {}});
  ASSERT_TRUE(until_heard(here, 3));
  add_event("another node's");
  ASSERT_TRUE(until([&] { return (*server)({"EXISTS", "sio:session:pid"}) == "1"; }));
  Back back;
  b->restore("pid", offset, back.take());
  ASSERT_TRUE(until([&] { return back.done(); }));
  ASSERT_TRUE(back.restored);
  EXPECT_EQ(back.restored->session.sid, "sid");
  EXPECT_THAT(back.restored->session.rooms, ElementsAre("sid", "room"));
  EXPECT_EQ(back.restored->session.data, (boost::json::value{{"user", 1}}));
  EXPECT_THAT(back.missed,
              ElementsAre(MatchesRegex("\\[\"room\",\".*\"\\]"), MatchesRegex("\\[\"mine\",\".*\"\\]"),
                          MatchesRegex("\\[\"another node's\",\".*\"\\]")));
  EXPECT_EQ((*server)({"EXISTS", "sio:session:pid"}), "0");
  EXPECT_EQ(a.tally->sessions_saved, 1U);
  EXPECT_EQ(b.tally->sessions_restored, 1U);
}

TEST_F(StreamsTest, WhoCannotBeRestoredIsNot) {
  Node& a = streams_node(recovery());
  FakeSocket& here = a.host.add("here");
  tell(a, "seen", {});
  ASSERT_TRUE(until_heard(here, 1));
  const std::string offset = offset_of(here.heard[0]);
  a->persist({"sid", "pid", {}, nullptr});
  ASSERT_TRUE(until([&] { return (*server)({"EXISTS", "sio:session:pid"}) == "1"; }));
  const auto restores = [&](std::string_view pid, std::string_view from) {
    Back back;
    a->restore(pid, from, back.take());
    EXPECT_TRUE(until([&] { return back.done(); }));
    EXPECT_EQ(back.times, 1);
    return back.restored.has_value();
  };
  EXPECT_FALSE(restores("pid", "x"));
  EXPECT_FALSE(restores("pid", ""));
  EXPECT_FALSE(restores("p:d", offset));
  EXPECT_EQ((*server)({"EXISTS", "sio:session:pid"}), "1");  // Redis was not asked
  EXPECT_FALSE(restores("nobody", offset));
  EXPECT_FALSE(restores("pid", "1-1"));  // trimmed, long ago
  EXPECT_EQ((*server)({"EXISTS", "sio:session:pid"}), "0");
  (*server)({"SET", "sio:session:odd", "?!"});
  EXPECT_FALSE(restores("odd", offset));
  EXPECT_EQ(a.tally->malformed, 1U);
  server->end();
  ASSERT_TRUE(until([&] { return !a.link->up(); }));
  EXPECT_FALSE(restores("pid", offset));
}

TEST_F(StreamsTest, ACrowdThatComesBackIsRestoredAFewAtATime) {
  constexpr std::size_t kCrowd = 200;
  Node& a = streams_node(recovery());
  FakeSocket& here = a.host.add("here");
  tell(a, "seen", {});
  ASSERT_TRUE(until_heard(here, 1));
  const std::string offset = offset_of(here.heard[0]);
  for (std::size_t i = 0; i < kCrowd; ++i) {
    const std::string number = std::to_string(i);
    a->persist({"sid" + number, "pid" + number, {}, nullptr});
  }
  ASSERT_TRUE(until([&] { return a.tally->sessions_saved == kCrowd; }));
  const std::uint64_t before = a.link->totals().commands;
  std::vector<Back> back(kCrowd);
  for (std::size_t i = 0; i < kCrowd; ++i) a->restore("pid" + std::to_string(i), offset, back[i].take());
  EXPECT_LE(a.link->totals().commands - before, 100U);
  ASSERT_TRUE(until([&] { return std::ranges::all_of(back, [](const Back& one) { return one.done(); }); }));
  for (std::size_t i = 0; i < kCrowd; ++i) {
    EXPECT_EQ(back[i].times, 1);
    ASSERT_TRUE(back[i].restored) << i;
    EXPECT_EQ(back[i].restored->session.sid, "sid" + std::to_string(i));
  }
}

TEST_F(StreamsTest, AWholeTailIsReadInPages) {
  Node& a = streams_node(recovery());
  until_reading(a);
  const std::string offset = add_event("seen");
  const std::string script =
      "for i = 1, 1700 do redis.call('XADD', 'socket.io', '*', 'uid', 'x', 'nsp', '/', 'type', '3', 'data', "
      "'{\"packet\":{\"data\":[' .. i .. ']},\"opts\":{}}') end return 1";
  (*server)({"EVAL", script, "0"});
  (*server)({"SET", "sio:session:pid", write_session({"sid", "pid", {}, nullptr}, "")});
  Back back;
  a->restore("pid", offset, back.take());
  ASSERT_TRUE(until([&] { return back.done(); }));
  ASSERT_TRUE(back.restored);
  // What the reader has not come to yet is delivered by it.
  ASSERT_GE(back.missed.size(), 1U);
  for (std::size_t i = 0; i < back.missed.size(); ++i)
    ASSERT_THAT(back.missed[i], testing::StartsWith("[" + std::to_string(i + 1) + ","));
}

// Pages of large entries are short: an answer that is too large would cost the link.
TEST_F(StreamsTest, ATailOfLargeEntriesIsReadOnTheSameLink) {
  max_reply_bytes = 16 * 1024 * 1024;
  Node& a = streams_node(recovery());
  until_reading(a);
  const std::string offset = add_event("seen");
  for (int i = 0; i < 40; ++i) add_event("small");
  for (int i = 0; i < 100; ++i) add_event(std::string(100'000, 'x'));
  (*server)({"SET", "sio:session:pid", write_session({"sid", "pid", {}, nullptr}, "")});
  FakeSocket& last = a.host.add("last");
  ASSERT_TRUE(until([&] {
    add_event("end", R"({"rooms":["last"]})");
    return !last.heard.empty() && last.heard.back().starts_with("[\"end\"");
  }));
  Back back;
  const auto reconnects = a.link->totals().reconnects;
  a->restore("pid", offset, back.take());
  ASSERT_TRUE(until([&] { return back.done(); }));
  ASSERT_TRUE(back.restored);
  EXPECT_EQ(back.missed.size(), 140U);
  EXPECT_EQ(a.link->totals().reconnects, reconnects);
}

TEST_F(StreamsTest, WhoHasMissedTooMuchIsNew) {
  Node& a = streams_node(recovery());
  until_reading(a);
  const std::string offset = add_event("seen");
  for (int i = 0; i < 170; ++i) add_event(std::string(100'000, 'x'));
  (*server)({"SET", "sio:session:pid", write_session({"sid", "pid", {}, nullptr}, "")});
  Back back;
  a->restore("pid", offset, back.take());
  ASSERT_TRUE(until([&] { return back.done(); }));
  EXPECT_FALSE(back.restored);
}

// Each event reaches who comes back exactly once, whether it was missed or comes live.
TEST_F(StreamsTest, NothingIsTwiceAndNothingIsLostAtTheSeam) {
  Node &a = streams_node(recovery()), &b = streams_node(recovery());
  until_reading(a);
  until_reading(b);
  int said = 0;
  for (int round = 0; round < 20; ++round) {
    const std::string offset = add_event("seen");
    const std::string pid = "pid" + std::to_string(round);
    (*server)({"SET", "sio:session:" + pid, write_session({"sid", pid, {}, nullptr}, "")});
    std::vector<std::string> heard;
    FakeSocket* socket = nullptr;
    const int first = said;
    int told = 0;
    b->restore(pid, offset, [&](std::optional<adapter::Restored> restored) {
      ASSERT_TRUE(restored);
      for (const auto& packet : restored->missed) heard.push_back(text(packet));
      socket = &b.host.add("s" + std::to_string(round));
    });
    ASSERT_TRUE(until([&] {
      tell(told % 2 == 0 ? a : b, "e", {said});
      ++said;
      ++told;
      return socket != nullptr;
    }));
    tell(a, "e", {said++});
    const auto all = [&] {
      std::vector<std::string> every = heard;
      every.insert(every.end(), socket->heard.begin(), socket->heard.end());
      return every;
    };
    ASSERT_TRUE(until([&] { return all().size() >= static_cast<std::size_t>(said - first); }));
    std::vector<int> numbers;
    for (const std::string& each : all()) numbers.push_back(std::stoi(each.substr(each.find(',') + 1)));
    std::sort(numbers.begin(), numbers.end());
    ASSERT_EQ(numbers.size(), static_cast<std::size_t>(said - first));
    for (int i = first; i < said; ++i) ASSERT_EQ(numbers[static_cast<std::size_t>(i - first)], i);
    b.host.rooms().remove(*socket);
  }
}

TEST_F(StreamsTest, EarlySavesStayWhileTheirSocketsLive) {
  StreamsSettings settings = recovery(true);
  settings.max_disconnection_ms = 200;
  Node& a = streams_node(settings);
  EXPECT_TRUE(a->saves_early());
  const auto left = [&] { return std::stol((*server)({"PTTL", "sio:session:pid"})); };
  a->persist({"sid", "pid", {"sid"}, nullptr, true});
  ASSERT_TRUE(until([&] { return left() > 0; }));
  const auto since = net::now_ms();
  ASSERT_TRUE(until([&] { return net::now_ms() > since + 500; }));
  EXPECT_GT(left(), 0);
  (*server)({"DEL", "sio:session:pid"});  // Redis has lost it
  ASSERT_TRUE(until([&] { return !a.host.saved.empty(); }));
  EXPECT_THAT(a.host.saved, testing::Contains("sid"));
  a->persist({"sid", "pid", {"sid"}, nullptr, true});
  a->forget("pid");
  ASSERT_TRUE(until([&] { return left() == -2; }));
}

TEST_F(StreamsTest, WithoutEagerLiveSessionsAreNotSaved) {
  Node& a = streams_node(recovery());
  EXPECT_FALSE(a->saves_early());
  a->persist({"sid", "live", {"sid"}, nullptr, true});
  a->persist({"sid", "gone", {"sid"}, nullptr});
  ASSERT_TRUE(until([&] { return (*server)({"EXISTS", "sio:session:gone"}) == "1"; }));
  EXPECT_EQ((*server)({"EXISTS", "sio:session:live"}), "0");
}

TEST_F(StreamsTest, WhereTheSocketStillLivesItIsEnded) {
  Node &a = streams_node(recovery(true)), &b = streams_node(recovery(true));
  until_reading(b);
  FakeSocket& here = a.host.add("here");
  tell(a, "seen", {});
  ASSERT_TRUE(until_heard(here, 1));
  a->persist({"here", "pid", {"here"}, nullptr, true});
  ASSERT_TRUE(until([&] { return (*server)({"EXISTS", "sio:session:pid"}) == "1"; }));
  Back back;
  b->restore("pid", offset_of(here.heard[0]), back.take());
  ASSERT_TRUE(until([&] { return back.done() && !a.host.superseded.empty(); }));
  EXPECT_TRUE(back.restored);
  EXPECT_THAT(a.host.superseded, ElementsAre("here"));
  EXPECT_THAT(b.host.superseded, IsEmpty());
}

TEST_F(StreamsTest, WhoeverWaitsForASessionHearsOfTheEnd) {
  Node& a = streams_node(recovery());
  Back back;
  a->restore("pid", "1-1", back.take());
  EXPECT_FALSE(back.done());
  a.adapter.reset();
  EXPECT_EQ(back.times, 1);
  EXPECT_FALSE(back.restored);
}

TEST_F(StreamsTest, OtherNumbersOfStreamsAreToldOnce) {
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
