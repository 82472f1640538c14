#include "backend/cluster/classic.h"

#include <gmock/gmock.h>

#include "tests/unit/cluster/classic_world.h"

namespace limpet::cluster {
namespace {

using codec::Args;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Target = adapter::Target;

constexpr const char* kRequests = "socket.io-request#/#";
constexpr const char* kAnswers = "socket.io-response#/#";

Target to(std::vector<std::string> rooms, std::vector<std::string> except = {}) {
  return {std::move(rooms), std::move(except), {}};
}
Target here(std::vector<std::string> rooms = {}) {
  Target target = to(std::move(rooms));
  target.flags.local = true;
  return target;
}
// As a node of Node.js says it.
std::string broadcast_of(std::string_view uid, const Args& data, const Target& target = {},
                         std::string_view nsp = "/") {
  codec::msgpack::Writer out;
  boost::json::array rest(data.values().begin() + 1, data.values().end());
  classic_wire::write_broadcast(out, uid, nsp, {data[0].as_string(), Args(rest, data.binaries())}, target);
  return std::string(out.bytes());
}

using Broadcasts = ClassicWorld;
using Rooms = ClassicWorld;
using Asking = ClassicWorld;
using Answering = ClassicWorld;
using Faults = ClassicWorld;

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

TEST_F(Asking, SocketsOfAllNodesAreFound) {
  Node &a = node(), &b = node({.publish_on_specific_response_channel = true});
  a.host.add("a1", {"r"});
  b.host.add("b1", {"r"}).data = {{"name", "x"}};
  b.host.add("b2");
  Outcome outcome;
  a.classic->fetch_sockets(to({"r"}), outcome.found());
  ASSERT_TRUE(until([&] { return outcome.done(); }));
  EXPECT_EQ(outcome.error, "");
  ASSERT_EQ(outcome.sockets.size(), 2U);
  EXPECT_EQ(outcome.sockets[0].id, "a1");
  EXPECT_EQ(outcome.sockets[1].id, "b1");
  EXPECT_EQ(outcome.sockets[1].data.at("name"), "x");
  EXPECT_EQ(outcome.sockets[1].handshake.at("url"), "/b1");
  EXPECT_EQ(a.tally->nodes, 2U);
  const std::string request = last_on(kRequests);
  EXPECT_THAT(
      request,
      testing::MatchesRegex(
          R"(\{"uid":"......","requestId":"......","type":5,"opts":\{"rooms":\["r"\],"except":\[\]\}\})"));
  // b answers to a alone
  EXPECT_THAT(
      last_on(kAnswers + a.classic->uid() + "#"),
      HasSubstr(
          R"("sockets":[{"id":"b1","handshake":{"url":"/b1"},"rooms":["b1","r"],"data":{"name":"x"}}]})"));
  EXPECT_EQ(last_on(kAnswers), "");
}

TEST_F(Asking, ANodeAloneAsksNobody) {
  Node& a = node();
  a.host.add("a1");
  Outcome found, answered;
  a.classic->fetch_sockets({}, found.found());
  a.classic->server_side_emit("ping", {}, answered.answered());
  std::size_t nodes = 0;
  a.classic->server_count([&](std::size_t count) { nodes = count; });
  ASSERT_TRUE(until([&] { return found.done() && answered.done() && nodes != 0; }));
  EXPECT_EQ(found.sockets.size(), 1U);
  EXPECT_EQ(answered.answers, "[]");
  EXPECT_EQ(found.error + answered.error, "");
  EXPECT_EQ(nodes, 1U);
  EXPECT_THAT(ear.heard, IsEmpty());
}

// One who is counted, and never answers.
TEST_F(Asking, WhoNeverAnswersIsWaitedForUntilTheTimeout) {
  Node &a = node({.requests_timeout_ms = 100}), &b = node();
  redis::Ear deaf;
  const auto third = peer->subscribe(redis::Subscribed::channel, kRequests, deaf);
  ASSERT_TRUE(until([&] { return deaf.subscribed > 0; }));
  a.host.add("a1");
  b.host.add("b1");
  b.host.handlers["ping"] = [](const Args& args, const FakeHost::Reply& reply) { reply(args); };
  Outcome found, answered;
  a.classic->fetch_sockets({}, found.found());
  a.classic->server_side_emit("ping", {7}, answered.answered());
  ASSERT_TRUE(until([&] { return found.done() && answered.done(); }));
  EXPECT_EQ(found.error, "timeout reached while waiting for fetchSockets response");
  EXPECT_EQ(found.sockets.size(), 2U);
  EXPECT_EQ(answered.error, "timeout reached: only 1 responses received out of 2");
  EXPECT_EQ(answered.answers, "[7]");
  EXPECT_EQ(a.tally->unanswered, 2U);
  EXPECT_EQ(a.tally->nodes, 3U);
}

TEST_F(Asking, ServerSideEventsReachTheOtherNodes) {
  Node &a = node(), &b = node(), &c = node({.publish_on_specific_response_channel = true});
  std::vector<std::string> heard;
  const auto note = [&](const char* who) {
    return [&heard, who](const Args& args, const FakeHost::Reply& reply) {
      heard.push_back(who + FakeHost::json(args));
      if (reply) reply({{{"from", who}}});
    };
  };
  a.host.handlers["ping"] = note("a");
  b.host.handlers["ping"] = note("b");
  Args args{1};
  args.add(codec::Binary{"\x03"});
  a.classic->server_side_emit("ping", args, {});
  ASSERT_TRUE(until([&] { return !heard.empty(); }));
  EXPECT_THAT(heard, ElementsAre(R"(b[1,{"type":"Buffer","data":[3]}])"));
  EXPECT_EQ(last_on(kRequests), R"({"uid":")" + a.classic->uid() +
                                    R"(","type":6,"data":["ping",1,{"type":"Buffer","data":[3]}]})");
  // With answers: also of the one that does not listen to it, on the channel that all hear
  Outcome outcome;
  a.classic->server_side_emit("ping", {}, outcome.answered());
  ASSERT_TRUE(until([&] { return outcome.done(); }));
  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.answers, testing::AnyOf(R"([{"from":"b"},null])", R"([null,{"from":"b"}])"));
  EXPECT_EQ(heard.size(), 2U);
  EXPECT_THAT(ear.heard, testing::Not(testing::Contains(HasSubstr(kAnswers + a.classic->uid()))));
  EXPECT_EQ(c.tally->malformed, 0U);
}

TEST_F(Asking, ClientsOfAllNodesAcknowledge) {
  Node &a = node(), &b = node();
  FakeSocket& mine = a.host.add("a1");
  b.host.add("b1");
  b.host.add("b2");
  std::vector<std::size_t> clients;
  std::vector<std::string> acks;
  Target target;
  target.flags.timeout_ms = 5'000;
  a.classic->broadcast_with_ack(
      {"ask", {5}}, target, [&](std::size_t count) { clients.push_back(count); },
      [&](const Args& args) { acks.push_back(FakeHost::json(args)); });
  EXPECT_THAT(clients, ElementsAre(1U));
  ASSERT_TRUE(until([&] { return clients.size() == 2; }));
  EXPECT_EQ(b.host.last.flags.timeout_ms, 5'000U);
  Args answer;
  answer.add(codec::Binary{"\x09"});
  answer.add("only the first counts");
  b.host.answer(answer);
  a.host.answer(Args{"mine"});
  ASSERT_TRUE(until([&] { return acks.size() == 3; }));
  EXPECT_THAT(clients, ElementsAre(1U, 2U));
  EXPECT_THAT(acks, UnorderedElementsAre(R"(["mine"])", R"([{"type":"Buffer","data":[9]}])",
                                         R"([{"type":"Buffer","data":[9]}])"));
  EXPECT_EQ(mine.heard.size(), 1U);  // it does not answer to itself
}

TEST_F(Asking, MoreAcksThanClientsAreDropped) {
  Node& a = node();
  int acks = 0;
  Target target;
  target.flags.timeout_ms = 5'000;
  a.classic->broadcast_with_ack(
      {"ask", {}}, target, [](std::size_t) {}, [&](const Args&) { ++acks; });
  ASSERT_TRUE(until([&] { return !last_on(kRequests).empty(); }));
  const auto request = classic_wire::read_request(last_on(kRequests)).value();
  codec::msgpack::Writer ack;
  classic_wire::write_ack_answer(ack, request.id, {});
  say(kAnswers, std::string(ack.bytes()));
  say(kAnswers, classic_wire::clients_answer(request.id, 1));
  say(kAnswers, R"({"type":8,"requestId":")" + request.id + R"(","clientCount":-1})");
  say(kAnswers, R"({"type":8,"requestId":")" + request.id + R"(","clientCount":1e300})");
  for (int i = 0; i < 3; ++i) say(kAnswers, std::string(ack.bytes()));
  ASSERT_TRUE(until([&] { return a.tally->malformed == 5; }));
  EXPECT_EQ(acks, 1);
}

TEST_F(Answering, WhatOtherVersionsAskIsAnswered) {
  Node& a = node();
  a.host.add("a1", {"r"});
  say(kRequests, R"({"uid":"peer","requestId":"q0","type":0,"rooms":["r"]})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"requestId":"q0","sockets":["a1"]})"));
  say(kRequests, R"({"uid":"peer","requestId":"q0","type":0})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"requestId":"q0","sockets":["a1"]})"));
  say(kRequests, R"({"uid":"peer","requestId":"q1","type":1})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"requestId":"q1","rooms":["r","a1"]})"));
  say(kRequests, R"({"uid":"peer","requestId":"q5","type":5,"opts":{"rooms":["nobody"],"except":[]}})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"requestId":"q5","sockets":[]})"));
  say(kRequests, R"({"uid":"peer","requestId":"q6","type":6,"data":["unheard",1]})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"type":6,"requestId":"q6"})"));
  // MessagePack is read as well
  say(kRequests, "\x83\xa3uid\xa4peer\xa9requestId\xa2q7\xa4type\x01");
  ASSERT_TRUE(until_heard(kAnswers, R"({"requestId":"q7","rooms":["r","a1"]})"));
}

TEST_F(Answering, TheAskerAloneIsAnsweredIfItIsKnown) {
  Node& a = node({.publish_on_specific_response_channel = true});
  a.host.handlers["ping"] = [](const Args&, const FakeHost::Reply& reply) { reply(Args{1}); };
  say(kRequests, R"({"uid":"peer","requestId":"q1","type":1})");
  ASSERT_TRUE(until_heard(std::string(kAnswers) + "peer#", R"({"requestId":"q1","rooms":[]})"));
  say(kRequests, R"({"requestId":"q2","type":1})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"requestId":"q2","rooms":[]})"));
  say(kRequests, R"({"uid":"peer","requestId":"q3","type":6,"data":["ping"]})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"type":6,"requestId":"q3","data":1})"));
}

TEST_F(Answering, ABroadcastWithAckIsCountedFirstThenAnswered) {
  Node& a = node();
  a.host.add("a1");
  codec::msgpack::Writer request;
  Target target;
  target.flags = {.volatile_ = true, .timeout_ms = 300};
  classic_wire::write_broadcast_request(request, "peer", "q1", "/", {"ask", {}}, target);
  say(kRequests, std::string(request.bytes()));
  ASSERT_TRUE(until_heard(kAnswers, R"({"type":8,"requestId":"q1","clientCount":1})"));
  EXPECT_FALSE(a.host.last.flags.volatile_);
  EXPECT_EQ(a.host.last.flags.timeout_ms, 300U);
  a.host.answer({});
  ASSERT_TRUE(until_heard(kAnswers, "\x82\xa4type\x09\xa9requestId\xa2q1"));
  // An event that no client would take has none
  request.clear();
  classic_wire::write_broadcast_request(request, "peer", "q2", "/", {"connect", {}}, target);
  say(kRequests, std::string(request.bytes()));
  ASSERT_TRUE(until_heard(kAnswers, R"({"type":8,"requestId":"q2","clientCount":0})"));
  EXPECT_EQ(a.tally->malformed, 1U);
}

TEST_F(Answering, AHandlerAnswersOnceAndMayBeLate) {
  Node& a = node();
  FakeHost::Reply late;
  a.host.handlers["ping"] = [&](const Args&, FakeHost::Reply reply) { late = std::move(reply); };
  say(kRequests, R"({"uid":"peer","requestId":"q1","type":6,"data":["ping"]})");
  ASSERT_TRUE(until([&] { return late != nullptr; }));
  late(Args{1});
  late(Args{2});
  ASSERT_TRUE(until_heard(kAnswers, R"({"type":6,"requestId":"q1","data":1})"));
  say("end", "");
  ASSERT_TRUE(until_heard("end", ""));
  EXPECT_THAT(ear.heard, testing::Not(testing::Contains(HasSubstr(R"("data":2)"))));
  a.classic.reset();
  late(Args{3});  // to nobody
}

TEST_F(Faults, GarbageIsCountedAndDropped) {
  Node& a = node();
  FakeSocket& socket = a.host.add("a1", {"r"});
  Outcome outcome;
  a.classic->broadcast_with_ack(
      {"x", {}}, {{}, {}, {.timeout_ms = 60'000}}, [](std::size_t) {}, [](const Args&) {});
  socket.heard.clear();
  const char* broadcasts[] = {"",
                              "{}",
                              "\xc1",
                              "\xc0",
                              "\x90",
                              "\x93\xa1u\xc0\xc0",
                              "\x92\xa1u\x80",
                              "\x93\xa1u\x80\x80",
                              "\x93\xa1u\x83\xa4type\x02\xa4"
                              "data\x91\xa1x\xa3nsp\xa1/\xc0",  // no opts
                              "\x93\xa1u\x83\xa4type\x02\xa4"
                              "data\x90\xa3nsp\xa1/\x80",  // no name
                              "\x93\xa1u\x83\xa4type\x02\xa4"
                              "data\x91\xc3\xa3nsp\xa1/\x80",  // a name that is none
                              "\x93\xa1u\x83\xa4type\x04\xa4"
                              "data\x91\xa1x\xa3nsp\xa1/\x80",  // no event
                              "\x93\xa1u\x83\xa4type\x02\xa4"
                              "data\x91\xa1x\xa3nsp\x01\x80",
                              "\x93\xa1u\x82\xa4type\x02\xa3nsp\xa1/\x80",
                              "\x93\xa1u\x83\xa4type\x02\xa4"
                              "data\x91\xa1x\xa3nsp\xa1/\x81\xa5rooms\xa1r",
                              "\x93\xa1u\x83\xa4type\x02\xa4"
                              "data\x91\xa1x\xa3nsp\xa1/\x81\xa6"
                              "except\x80",
                              "\x93\xa1u\x83\xa4type\x02\xa4"
                              "data\x91\xa1x\xa3nsp\xa1/\x81\xa5"
                              "flags\x01"};
  const char* requests[] = {"",
                            "{",
                            "[]",
                            "null",
                            "\xc0",
                            "\x01",
                            "{}",
                            R"({"type":"2"})",
                            R"({"type":-1})",
                            R"({"type":99})",
                            R"({"type":1.5})",
                            R"({"type":8,"requestId":"x"})",
                            R"({"type":0})",
                            R"({"type":1})",
                            R"({"type":1,"requestId":7})",
                            R"({"type":1,"requestId":""})",
                            R"({"uid":1,"type":1,"requestId":"x"})",
                            R"({"type":2})",
                            R"({"type":2,"opts":[],"rooms":[]})",
                            R"({"type":2,"opts":{},"rooms":"r"})",
                            R"({"type":2,"sid":7,"room":"x"})",
                            R"({"type":3,"sid":"a1"})",
                            R"({"type":4,"opts":{},"close":"yes"})",
                            R"({"type":4})",
                            R"({"type":5,"requestId":"x"})",
                            R"({"type":5,"requestId":"x","sid":"a1"})",
                            R"({"type":5,"opts":{}})",
                            R"({"type":6})",
                            R"({"type":6,"data":[]})",
                            R"({"type":6,"data":[{}]})",
                            R"({"type":6,"data":"ping"})",
                            R"({"type":7,"requestId":"x"})",
                            R"({"type":7,"requestId":"x","opts":{}})",
                            R"({"type":7,"requestId":"x","opts":{},"packet":{"type":2,"data":{}}})",
                            R"({"type":7,"opts":{},"packet":{"type":2,"data":["x"]}})"};
  const char* answers[] = {"",    "{", "\xc1", "null", "{}", R"({"requestId":7})", R"({"requestId":null})",
                           "\x80"};
  std::size_t bad = 0;
  for (const char* body : broadcasts) say("socket.io#/#", body), ++bad;
  for (const char* body : broadcasts) say("socket.io#/#r#", body), ++bad;
  for (const char* body : requests) say(kRequests, body), ++bad;
  say(kRequests, R"({"type":1,"requestId":")" + std::string(2000, 'x') + "\"}"), ++bad;
  for (const char* body : answers) say(kAnswers, body), ++bad;
  say(std::string(kAnswers) + a.classic->uid() + "#", "garbage"), ++bad;
  say("socket.io#/#", broadcast_of("u", {"still here"}));
  ASSERT_TRUE(until([&] { return !socket.heard.empty(); }));
  EXPECT_THAT(socket.heard, ElementsAre(R"(["still here"])"));
  EXPECT_TRUE(until([&] { return a.tally->malformed == bad; })) << a.tally->malformed << " of " << bad;
  EXPECT_EQ(a.tally->received, 1U);
}

TEST_F(Faults, AnAnswerThatIsNoneIsNotCounted) {
  Node &a = node({.requests_timeout_ms = 200}), &b = node();
  redis::Ear deaf;
  const auto third = peer->subscribe(redis::Subscribed::channel, kRequests, deaf);
  ASSERT_TRUE(until([&] { return deaf.subscribed > 0; }));
  Outcome outcome;
  a.classic->fetch_sockets({}, outcome.found());
  ASSERT_TRUE(until([&] { return !last_on(kRequests).empty(); }));
  const auto request = classic_wire::read_request(last_on(kRequests)).value();
  for (const char* rest : {"}", R"(,"sockets":7})", R"(,"sockets":[7]})",
                           R"(,"sockets":[{"id":7,"rooms":[]}]})", R"(,"sockets":[{"id":"x","rooms":"r"}]})"})
    say(kAnswers, R"({"requestId":")" + request.id + "\"" + rest);
  ASSERT_TRUE(until([&] { return outcome.done(); }));
  EXPECT_EQ(outcome.error, "timeout reached while waiting for fetchSockets response");
  EXPECT_THAT(outcome.sockets, IsEmpty());
  EXPECT_EQ(a.tally->malformed, 5U);
  EXPECT_EQ(b.tally->malformed, 0U);  // they were not for it
}

TEST_F(Faults, WithoutRedisANodeIsAlone) {
  Node& a = node();
  FakeSocket& socket = a.host.add("a1");
  server->end();
  ASSERT_TRUE(until([&] { return !a.classic->listening() && !a.link->up(); }));
  a.classic->broadcast({"x", {}}, {});
  a.classic->join({}, {"r"});
  EXPECT_THAT(a.host.rooms_of(socket), ElementsAre("a1", "r"));
  Outcome found, answered;
  std::size_t nodes = 0, clients = 0;
  a.classic->fetch_sockets({}, found.found());
  a.classic->server_side_emit("ping", {}, answered.answered());
  a.classic->server_side_emit("ping", {}, {});
  a.classic->server_count([&](std::size_t count) { nodes = count; });
  a.classic->broadcast_with_ack(
      {"y", {}}, {{}, {}, {.timeout_ms = 50}}, [&](std::size_t n) { clients = n; }, [](const Args&) {});
  ASSERT_TRUE(until([&] { return found.done() && answered.done() && nodes != 0; }));
  EXPECT_EQ(found.error, "the other nodes cannot be reached");
  EXPECT_EQ(found.sockets.size(), 1U);
  EXPECT_EQ(answered.error, "the other nodes cannot be reached");
  EXPECT_EQ(answered.answers, "[]");
  EXPECT_EQ(nodes, 1U);
  EXPECT_EQ(clients, 1U);
  EXPECT_THAT(socket.heard, ElementsAre(R"(["x"])", R"(["y"])"));
  EXPECT_GE(a.link->totals().publishes_failed, 4U);
  EXPECT_EQ(a.tally->gaps, 1U);
  // And back
  server->start();
  ASSERT_TRUE(until([&] { return a.classic->listening() && peer->up() && ear.subscribed > 1; }));
  a.classic->leave({}, {"r"});
  ASSERT_TRUE(until([&] { return a.host.rooms_of(socket).size() == 1; }));
}

// Redis takes what was said and dies before it comes back.
TEST_F(Faults, WhatWasSaidToAllIsDoneHereWhenTheLinkIsLost) {
  Node& a = node();
  FakeSocket& socket = a.host.add("a1");
  server->freeze();
  a.classic->join({}, {"r"});
  a.classic->leave({}, {"r"});
  a.classic->join({}, {"s"});
  EXPECT_THAT(a.host.rooms_of(socket), ElementsAre("a1"));
  ASSERT_TRUE(until([&] { return a.host.rooms_of(socket).size() == 2; }));
  EXPECT_THAT(a.host.rooms_of(socket), ElementsAre("a1", "s"));
  server->thaw();
  ASSERT_TRUE(until([&] { return a.classic->listening(); }));
  a.classic->leave({}, {"s"});
  ASSERT_TRUE(until([&] { return a.host.rooms_of(socket).size() == 1; }));
}

TEST_F(Faults, WhoeverWaitsIsToldOfTheEnd) {
  Node &a = node(), &b = node();
  a.host.add("a1");
  b.host.handlers["ping"] = [](const Args&, const FakeHost::Reply&) {};  // never answers
  Outcome found, answered, counted;
  a.classic->server_side_emit("ping", {}, answered.answered());
  ASSERT_TRUE(until([&] { return !last_on(kRequests).empty(); }));
  a.classic->fetch_sockets({}, found.found());
  a.classic->server_count([&](std::size_t count) { counted.times += static_cast<int>(count); });
  a.classic->join({}, {"r"});
  a.classic.reset();
  EXPECT_EQ(found.times + answered.times + counted.times, 3);
  EXPECT_EQ(found.error, "the namespace is no more");
  EXPECT_EQ(found.sockets.size(), 1U);
  EXPECT_EQ(answered.error, "the namespace is no more");
  say("end", "");  // what Redis still answers finds nobody
  ASSERT_TRUE(until_heard("end", ""));
  EXPECT_EQ(found.times + answered.times + counted.times, 3);
}

TEST_F(Faults, AHostThatHasStoppedIsAskedNothing) {
  Node& a = node();
  FakeSocket& socket = a.host.add("a1");
  a.host.on_disconnect = [&] { a.host.stop = true; };
  say(kRequests, R"({"uid":"peer","requestId":"q1","type":4,"sid":"a1","close":false})");
  ASSERT_TRUE(until_heard(kAnswers, R"({"requestId":"q1"})"));
  say("socket.io#/#", broadcast_of("u", {"x"}));
  say(kRequests, R"({"uid":"peer","requestId":"q2","type":1})");
  say("end", "");
  ASSERT_TRUE(until_heard("end", ""));
  EXPECT_EQ(last_on(kAnswers), R"({"requestId":"q1"})");
  EXPECT_THAT(socket.heard, IsEmpty());
  EXPECT_EQ(a.tally->received, 1U);
}

}  // namespace
}  // namespace limpet::cluster
