// What is asked of other nodes, and how they are answered.
#include <gmock/gmock.h>

#include "tests/unit/cluster/classic_world.h"

namespace limpet::cluster {
namespace {

using codec::Args;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using Asking = ClassicWorld;
using Answering = ClassicWorld;

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

}  // namespace
}  // namespace limpet::cluster
