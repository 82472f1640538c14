// What is said to sockets and rooms of all nodes.
#include <gmock/gmock.h>

#include "tests/unit/cluster/classic_world.h"

namespace limpet::cluster {
namespace {

using codec::Args;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Broadcasts = ClassicWorld;
using Rooms = ClassicWorld;

TEST_F(Broadcasts, ReachSocketsOfAllNodesOnce) {
  Node &a = node(), &b = node();
  FakeSocket &mine = a.host.add("a1"), &other = b.host.add("b1");
  a.classic->broadcast({"hello", {1, "two"}}, {});
  EXPECT_THAT(mine.heard, ElementsAre(R"(["hello",1,"two"])"));  // at once
  ASSERT_TRUE(until([&] { return !other.heard.empty(); }));
  EXPECT_THAT(other.heard, ElementsAre(R"(["hello",1,"two"])"));
  b.classic->broadcast({"back", {}}, {});
  ASSERT_TRUE(until([&] { return mine.heard.size() == 2; }));
  EXPECT_THAT(mine.heard, ElementsAre(R"(["hello",1,"two"])", R"(["back"])"));
  EXPECT_EQ(other.heard.size(), 2U);
  EXPECT_EQ(a.tally->malformed + b.tally->malformed, 0U);
  EXPECT_EQ(a.tally->received, 1U);
}

TEST_F(Broadcasts, BytesAndFlagsCrossNodes) {
  Node &a = node(), &b = node();
  FakeSocket& other = b.host.add("b1", {"r"});
  Target target = to({"r", "s"}, {"t"});
  target.flags = {.volatile_ = true, .compress = false, .timeout_ms = 700};
  Args args;
  args.add(codec::Binary{"\x01\xff"});
  args.add({{"in", args.attach("x")}});
  a.classic->broadcast({"bytes", args}, target);
  ASSERT_TRUE(until([&] { return !other.heard.empty(); }));
  EXPECT_EQ(other.heard[0],
            R"(["bytes",{"type":"Buffer","data":[1,255]},{"in":{"type":"Buffer","data":[120]}}])");
  EXPECT_TRUE(b.host.last.flags.volatile_);
  EXPECT_FALSE(b.host.last.flags.compress);
  EXPECT_THAT(b.host.last.except, ElementsAre("t"));
}

TEST_F(Broadcasts, OneRoomHasItsOwnChannel) {
  Node &a = node(), &b = node();
  FakeSocket &in = b.host.add("b1", {"r"}), &out = b.host.add("b2");
  a.classic->broadcast({"x", {}}, to({"r"}));
  ASSERT_TRUE(until([&] { return !in.heard.empty(); }));
  EXPECT_THAT(last_on("socket.io#/#r#"), HasSubstr("type"));
  a.classic->broadcast({"y", {}}, to({"r", "r"}));
  a.classic->broadcast({"z", {}}, to({"r", "s"}));
  ASSERT_TRUE(until([&] { return in.heard.size() == 3; }));
  EXPECT_THAT(last_on("socket.io#/#r#"), HasSubstr("\xa1y"));
  EXPECT_THAT(last_on("socket.io#/#"), HasSubstr("\xa1z"));
  EXPECT_THAT(out.heard, IsEmpty());
  // A socket's id is a room; a room that is not here is not even read.
  a.classic->broadcast({"private", {}}, to({"b2"}));
  ASSERT_TRUE(until([&] { return !out.heard.empty(); }));
  say("socket.io#/#nowhere#", "garbage");
  say("socket.io#/#r#", "garbage");
  ASSERT_TRUE(until([&] { return b.tally->malformed != 0; }));
  EXPECT_EQ(b.tally->malformed, 1U);
}

TEST_F(Broadcasts, ANumberIsAnotherRoomThanItsText) {
  Node &a = node(), &b = node();
  FakeSocket& socket = b.host.add("b1");
  say(kRequests, R"({"type":2,"opts":{"rooms":["b1"],"except":[]},"rooms":[42]})");
  ASSERT_TRUE(until([&] { return b.host.rooms_of(socket).size() == 2; }));
  a.classic->broadcast({"text", {}}, to({"42"}));
  a.classic->broadcast({"number", {}}, to({"\xff"
                                           "42"}));
  ASSERT_TRUE(until([&] { return !socket.heard.empty(); }));
  EXPECT_THAT(socket.heard, ElementsAre(R"(["number"])"));
  EXPECT_THAT(last_on("socket.io#/#42#"), HasSubstr(std::string("\xa5rooms\x91\x2a")));
  Outcome outcome;
  a.classic->fetch_sockets({}, outcome.found());
  ASSERT_TRUE(until([&] { return outcome.done(); }));
  EXPECT_THAT(outcome.sockets.at(0).rooms, ElementsAre("b1",
                                                       "\xff"
                                                       "42"));
  EXPECT_THAT(last_on(kAnswers), HasSubstr(R"("rooms":["b1",42])"));
}

TEST_F(Broadcasts, LocalOnesStayHere) {
  Node& a = node();
  FakeSocket& socket = a.host.add("a1");
  a.classic->broadcast({"x", {}}, here());
  Target target = here();
  target.flags.timeout_ms = 50;
  std::size_t clients = 0;
  a.classic->broadcast_with_ack(
      {"y", {}}, target, [&](std::size_t n) { clients += n; }, [](const Args&) {});
  a.classic->join(here({"a1"}), {"r"});
  EXPECT_THAT(a.host.rooms_of(socket), ElementsAre("a1", "r"));
  a.classic->leave(here({"a1"}), {"r"});
  EXPECT_THAT(a.host.rooms_of(socket), ElementsAre("a1"));
  Outcome outcome;
  a.classic->fetch_sockets(here(), outcome.found());
  EXPECT_EQ(outcome.sockets.size(), 1U);
  a.classic->disconnect(here({"a1"}), true);
  EXPECT_THAT(a.host.gone, ElementsAre("a1 closed"));
  EXPECT_THAT(socket.heard, ElementsAre(R"(["x"])", R"(["y"])"));
  EXPECT_EQ(clients, 1U);
  say("end", "");
  ASSERT_TRUE(until_heard("end", ""));
  EXPECT_EQ(ear.heard.size(), 1U);
}

TEST_F(Broadcasts, ThoseOfEmittersAndOtherNamespacesAreToldApart) {
  Node &main = node(), &admin = node({}, "/admin");
  FakeSocket &in_main = main.host.add("m"), &in_admin = admin.host.add("a");
  say("socket.io#/#", broadcast_of("emitter", {"one"}));
  say("socket.io#/admin#", broadcast_of("emitter", {"two"}, {}, "/admin"));
  say("socket.io#/admin#", broadcast_of("emitter", {"wrong"}, {}, "/"));
  say("socket.io#/#", broadcast_of("emitter", {"wrong"}, {}, "/other"));
  // Without a namespace it is the main one's; without rooms and flags everyone's; from nobody, too.
  say("socket.io#/#", std::string("\x93\xc0\x82\xa4type\x02\xa4"
                                  "data\x91\xa5three\x80"));
  ASSERT_TRUE(until([&] { return in_main.heard.size() == 2 && !in_admin.heard.empty(); }));
  EXPECT_THAT(in_main.heard, ElementsAre(R"(["one"])", R"(["three"])"));
  EXPECT_THAT(in_admin.heard, ElementsAre(R"(["two"])"));
  EXPECT_EQ(main.tally->malformed + admin.tally->malformed, 0U);
}

TEST_F(Broadcasts, PatternCharactersInANamespaceAreNoPattern) {
  Node &glob = node({}, "/a*[b]"), &plain = node({}, "/ab[b]");
  FakeSocket &in = glob.host.add("g"), &other = plain.host.add("p");
  say("socket.io#/ab[b]#", broadcast_of("u", {"plain"}, {}, "/ab[b]"));
  say("socket.io#/a*[b]#", broadcast_of("u", {"glob"}, {}, "/a*[b]"));
  ASSERT_TRUE(until([&] { return !in.heard.empty() && !other.heard.empty(); }));
  EXPECT_THAT(in.heard, ElementsAre(R"(["glob"])"));
  EXPECT_THAT(other.heard, ElementsAre(R"(["plain"])"));
}

TEST_F(Broadcasts, WhatNoClientWouldTakeGoesNowhere) {
  Node &a = node(), &b = node();
  FakeSocket& socket = b.host.add("b1");
  EXPECT_THROW(a.classic->broadcast({"connect", {}}, {}), std::invalid_argument);
  EXPECT_THROW(a.classic->broadcast_with_ack({"connect", {}}, {}, {}, {}), std::invalid_argument);
  say("socket.io#/#", broadcast_of("u", {"connect"}));
  ASSERT_TRUE(until([&] { return b.tally->malformed != 0; }));
  EXPECT_THAT(socket.heard, IsEmpty());
  EXPECT_EQ(ear.heard.size(), 1U);
}

TEST_F(Rooms, ManySocketsJoinLeaveAndEndOnAllNodes) {
  Node &a = node(), &b = node();
  FakeSocket &mine = a.host.add("a1", {"r"}), &other = b.host.add("b1", {"r"});
  a.classic->join(to({"r"}), {"s", "t"});
  EXPECT_EQ(a.host.rooms_of(mine).size(), 2U);  // when the message is back, as with all nodes
  ASSERT_TRUE(until([&] { return b.host.rooms_of(other).size() == 4 && a.host.rooms_of(mine).size() == 4; }));
  EXPECT_EQ(last_on(kRequests), R"({"uid":")" + a.classic->uid() +
                                    R"(","type":2,"opts":{"rooms":["r"],"except":[]},"rooms":["s","t"]})");
  a.classic->leave(to({"r"}, {"b1"}), {"s"});
  ASSERT_TRUE(until([&] { return a.host.rooms_of(mine).size() == 3; }));
  EXPECT_EQ(b.host.rooms_of(other).size(), 4U);
  a.classic->disconnect(to({"t"}), true);
  ASSERT_TRUE(until([&] { return !a.host.gone.empty() && !b.host.gone.empty(); }));
  EXPECT_THAT(b.host.gone, ElementsAre("b1 closed"));
  EXPECT_EQ(last_on(kRequests), R"({"uid":")" + a.classic->uid() +
                                    R"(","type":4,"opts":{"rooms":["t"],"except":[]},"close":true})");
}

TEST_F(Rooms, AnEmitterHasNoUid) {
  Node& a = node();
  FakeSocket& socket = a.host.add("a1");
  say(kRequests, R"({"type":2,"opts":{"rooms":["a1"],"except":[]},"rooms":["s"]})");
  ASSERT_TRUE(until([&] { return a.host.rooms_of(socket).size() == 2; }));
  say(kRequests, R"({"type":3,"opts":{"rooms":[],"except":[]},"rooms":["s"]})");
  ASSERT_TRUE(until([&] { return a.host.rooms_of(socket).size() == 1; }));
  say(kRequests, R"({"type":4,"opts":{"rooms":[],"except":[]},"close":false})");
  ASSERT_TRUE(until([&] { return !a.host.gone.empty(); }));
  EXPECT_THAT(a.host.gone, ElementsAre("a1"));
}

TEST_F(Rooms, TheOlderFormNamesOneSocketAndIsAnswered) {
  Node& a = node();
  FakeSocket& socket = a.host.add("a1");
  say(kRequests, R"({"uid":"peer","requestId":"q1","type":2,"sid":"a1","room":"s"})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"requestId":"q1"})"));
  EXPECT_THAT(a.host.rooms_of(socket), ElementsAre("a1", "s"));
  say(kRequests, R"({"uid":"peer","requestId":"q2","type":3,"sid":"a1","room":"s"})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"requestId":"q2"})"));
  EXPECT_THAT(a.host.rooms_of(socket), ElementsAre("a1"));
  say(kRequests, R"({"uid":"peer","requestId":"q3","type":4,"sid":"nobody","close":true})");
  say(kRequests, R"({"uid":"peer","requestId":"q4","type":4,"sid":"a1","close":true})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"requestId":"q4"})"));
  EXPECT_THAT(a.host.gone, ElementsAre("a1 closed"));
  EXPECT_THAT(ear.heard, testing::Not(testing::Contains(HasSubstr(R"({"requestId":"q3"})"))));
}

TEST_F(Rooms, WhatIsSaidTwiceIsDoneTwiceInOrder) {
  Node &a = node(), &b = node();
  FakeSocket& other = b.host.add("b1");
  FakeSocket& mine = a.host.add("a1");
  for (int i = 0; i < 3; ++i) {
    a.classic->join({}, {"s"});
    a.classic->leave({}, {"s"});
  }
  a.classic->join({}, {"end"});
  ASSERT_TRUE(until([&] { return a.host.rooms().exists("end") && b.host.rooms().exists("end"); }));
  EXPECT_THAT(a.host.rooms_of(mine), ElementsAre("a1", "end"));
  EXPECT_THAT(b.host.rooms_of(other), ElementsAre("b1", "end"));
}

}  // namespace
}  // namespace limpet::cluster
