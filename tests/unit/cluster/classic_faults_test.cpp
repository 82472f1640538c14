// Bodies that are none, Redis that is away, hosts that have stopped.
#include <gmock/gmock.h>

#include "tests/unit/cluster/classic_world.h"

namespace limpet::cluster {
namespace {

using codec::Args;
using testing::ElementsAre;
using testing::IsEmpty;

using Faults = ClassicWorld;

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
