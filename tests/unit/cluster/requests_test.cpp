#include "backend/cluster/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cluster/outcome.h"

namespace limpet::cluster {
namespace {

using testing::ElementsAre;

class RequestsTest : public testing::Test, protected Outcome {
 protected:
  static std::vector<adapter::RemoteSocket> one(std::string id) {
    return {{std::move(id), nullptr, {}, nullptr}};
  }
  void TearDown() override { requests.reset(); }  // it calls who still waits
  void turn(std::uint64_t ms) {
    net::Timer stop(loop, net::delegate<&net::Loop::stop>(&loop));
    stop.after(ms);
    loop.run();
  }
  net::Loop loop;
  Tally tally = std::make_shared<Totals>();
  int drawn = 0;
  std::unique_ptr<Requests> requests = std::make_unique<Requests>(
      loop, tally, Requests::Manner{.draw_id = [this] { return std::to_string(drawn++); }});
};

TEST_F(RequestsTest, AFetchEndsWithTheLastNode) {
  const std::string id = requests->fetch(1000, found(), one("here"));
  requests->on_sockets(id, one("too early"));
  requests->expect(id, 2);
  requests->on_sockets(id, one("there"));
  EXPECT_EQ(times, 0);
  requests->on_sockets("another", one("nobody"));
  requests->on_sockets(id, {});
  EXPECT_EQ(times, 1);
  EXPECT_EQ(error, "");
  EXPECT_THAT(ids(), ElementsAre("here", "there"));
  requests->on_sockets(id, one("too late"));
  EXPECT_EQ(times, 1);
  EXPECT_EQ(requests->size(), 0U);
}

TEST_F(RequestsTest, WhoIsAloneHasItsOwn) {
  const std::string id = requests->fetch(1000, found(), one("here"));
  requests->expect(id, 0);
  EXPECT_EQ(times, 1);
  EXPECT_THAT(ids(), ElementsAre("here"));
}

TEST_F(RequestsTest, WhoDoesNotAnswerIsNotWaitedForForEver) {
  const std::string id = requests->fetch(1, found(), one("here"));
  requests->expect(id, 3);
  requests->on_sockets(id, one("there"));
  turn(20);
  EXPECT_EQ(times, 1);
  EXPECT_EQ(error, "timeout reached: only 1 responses received out of 3");
  EXPECT_THAT(ids(), ElementsAre("here", "there"));
  EXPECT_EQ(tally->unanswered, 1U);
}

TEST_F(RequestsTest, AnswersKeepTheirBytes) {
  const std::string id = requests->emit(1000, answered());
  requests->expect(id, 2);
  codec::Args bytes;
  bytes.add(codec::Binary{"\x01"});
  requests->on_answer(id, {"text"});
  requests->on_answer(id, bytes);
  EXPECT_EQ(answers, R"(["text",{"type":"Buffer","data":[1]}])");
}

TEST_F(RequestsTest, AKindHearsItsOwnAnswersAlone) {
  const std::string fetch = requests->fetch(1000, found()), emit = requests->emit(1000, answered());
  requests->expect(fetch, 1);
  requests->expect(emit, 1);
  EXPECT_FALSE(requests->on_answer(fetch, {1}));
  EXPECT_FALSE(requests->on_sockets(emit, {}));
  EXPECT_FALSE(requests->on_clients(fetch, 1));
  EXPECT_FALSE(requests->on_ack(emit, {1}));
  EXPECT_TRUE(requests->on_ack("nobody's", {1}));
  EXPECT_EQ(times, 0);
}

TEST_F(RequestsTest, OfABroadcastAsManyAnswersCountAsThereAreClients) {
  std::size_t clients = 0;
  int acks = 0;
  const std::string id = requests->broadcast(
      1000, {[&](std::size_t count) { clients += count; }, [&](const codec::Args&) { ++acks; }});
  EXPECT_FALSE(requests->on_ack(id, {1}));
  requests->on_clients(id, 2);
  EXPECT_TRUE(requests->on_ack(id, {1}));
  EXPECT_TRUE(requests->on_ack(id, {1}));
  EXPECT_FALSE(requests->on_ack(id, {1}));
  EXPECT_EQ(clients, 2U);
  EXPECT_EQ(acks, 2);
}

TEST_F(RequestsTest, ABroadcastThatIsOverIsNoFault) {
  requests->broadcast(1, {[](std::size_t) {}, [](const codec::Args&) {}});
  turn(20);
  EXPECT_EQ(requests->size(), 0U);
  EXPECT_EQ(tally->unanswered, 0U);
}

TEST_F(RequestsTest, WhatIsOpenFailsAtTheEnd) {
  const std::string id = requests->fetch(1000, found(), one("here"));
  requests->expect(id, 1);
  requests->emit(1000, answered());
  requests.reset();
  EXPECT_EQ(times, 2);
  EXPECT_EQ(error, "the namespace is no more");
  EXPECT_THAT(ids(), ElementsAre("here"));
}

TEST_F(RequestsTest, WhoIsCalledMayAskAgain) {
  std::string next;
  const std::string id = requests->fetch(
      1000, [&](std::string_view, auto) { next = requests->fetch(1000, found(), one("here")); });
  requests->fail(id, "no Redis");
  EXPECT_EQ(requests->size(), 1U);
  requests->fail(next, "no Redis");
  EXPECT_EQ(error, "no Redis");
  EXPECT_THAT(ids(), ElementsAre("here"));
}

}  // namespace
}  // namespace limpet::cluster
