// Who comes back: sessions, what was missed, and early saves.
#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

#include "backend/cluster/saved_session.h"
#include "tests/unit/cluster/streams_world.h"

namespace limpet::cluster {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

using StreamsRecovery = StreamsWorld;

TEST_F(StreamsRecovery, OffsetsAreTheEntriesIds) {
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

TEST_F(StreamsRecovery, WhatNobodyMayBeToldIsNotWritten) {
  Node& a = streams_node(recovery());
  FakeSocket& here = a.host.add("here");
  EXPECT_THROW(tell(a, "connect", {}), std::invalid_argument);
  tell(a, "x", {});
  ASSERT_TRUE(until_heard(here, 1));
  EXPECT_EQ((*server)({"XLEN", "socket.io"}), "1");
}

TEST_F(StreamsRecovery, WhoComesBackHasMissedWhatConcernsIt) {
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

TEST_F(StreamsRecovery, WhoCannotBeRestoredIsNot) {
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

TEST_F(StreamsRecovery, ACrowdThatComesBackIsRestoredAFewAtATime) {
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

TEST_F(StreamsRecovery, AWholeTailIsReadInPages) {
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
TEST_F(StreamsRecovery, ATailOfLargeEntriesIsReadOnTheSameLink) {
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

TEST_F(StreamsRecovery, WhoHasMissedTooMuchIsNew) {
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
TEST_F(StreamsRecovery, NothingIsTwiceAndNothingIsLostAtTheSeam) {
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

TEST_F(StreamsRecovery, EarlySavesStayWhileTheirSocketsLive) {
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

TEST_F(StreamsRecovery, ANamespaceThatIsNoMoreSavesNothing) {
  StreamsSettings settings = recovery(true);
  settings.max_disconnection_ms = 200;
  Node& a = streams_node(settings);
  a->persist({"sid", "pid", {"sid"}, nullptr, true});
  ASSERT_TRUE(until([&] { return a.tally->sessions_saved == 1; }));
  a.host.stop = true;
  (*server)({"DEL", "sio:session:pid"});
  const auto since = net::now_ms();
  ASSERT_TRUE(until([&] { return net::now_ms() > since + 500; }));
  EXPECT_THAT(a.host.saved, IsEmpty());
}

TEST_F(StreamsRecovery, WithoutEagerLiveSessionsAreNotSaved) {
  Node& a = streams_node(recovery());
  EXPECT_FALSE(a->saves_early());
  a->persist({"sid", "live", {"sid"}, nullptr, true});
  a->persist({"sid", "gone", {"sid"}, nullptr});
  ASSERT_TRUE(until([&] { return (*server)({"EXISTS", "sio:session:gone"}) == "1"; }));
  EXPECT_EQ((*server)({"EXISTS", "sio:session:live"}), "0");
}

TEST_F(StreamsRecovery, WhereTheSocketStillLivesItIsEnded) {
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

TEST_F(StreamsRecovery, WhoeverWaitsForASessionHearsOfTheEnd) {
  Node& a = streams_node(recovery());
  Back back;
  a->restore("pid", "1-1", back.take());
  EXPECT_FALSE(back.done());
  a.adapter.reset();
  EXPECT_EQ(back.times, 1);
  EXPECT_FALSE(back.restored);
}

}  // namespace
}  // namespace limpet::cluster
