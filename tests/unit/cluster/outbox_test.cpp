#include "backend/cluster/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cluster/fake_host.h"

namespace limpet::cluster {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class OutboxTest : public testing::Test {
 protected:
  std::uint64_t say(const std::string& name, std::size_t bytes = 0) {
    const auto number = outbox.add({}, Said{name, false, {}}, bytes);
    outbox.relieve();
    return number;
  }
  net::Loop loop;
  FakeHost host{loop};
  FakeSocket& socket = host.add("a");
  Outbox outbox{host};
};

TEST_F(OutboxTest, WhatIsSettledIsDoneInTheOrderInWhichItWasSaid) {
  const auto first = say("1"), second = say("2"), third = say("3");
  outbox.settle(third, "9-3");
  outbox.settle(second, std::nullopt);
  EXPECT_THAT(socket.heard, IsEmpty());
  outbox.settle(first, "9-1");
  EXPECT_THAT(socket.heard, ElementsAre(R"(["1","9-1"])", R"(["2"])", R"(["3","9-3"])"));
  EXPECT_EQ(outbox.size(), 0U);
}

TEST_F(OutboxTest, OtherDeedsAreDoneInTurn) {
  const auto first = say("1");
  outbox.add_settled({}, Outbox::Other{[&] { socket.heard.push_back("other"); }});
  EXPECT_THAT(socket.heard, IsEmpty());
  outbox.settle(first, "9-1");
  EXPECT_THAT(socket.heard, ElementsAre(R"(["1","9-1"])", "other"));
}

TEST_F(OutboxTest, ItIsBusyUntilTheLastDeedIsDone) {
  EXPECT_FALSE(outbox.busy());
  bool from_within = false;
  host.on_disconnect = [&] { from_within = outbox.busy(); };
  const auto leaves = outbox.add({{"a"}, {}, {}}, Outbox::Disconnect{false});
  EXPECT_TRUE(outbox.busy());
  outbox.settle(leaves, "1-0");
  EXPECT_TRUE(from_within);
  EXPECT_FALSE(outbox.busy());
}

TEST_F(OutboxTest, RoomsChangeInTurn) {
  const auto joins = outbox.add({{"a"}, {}, {}}, Outbox::Join{{"room"}});
  outbox.add_settled({{"room"}, {}, {}}, Said{"x", false, {}});
  const auto leaves = outbox.add({{"a"}, {}, {}}, Outbox::Leave{{"room"}});
  const auto late = outbox.add({{"room"}, {}, {}}, Said{"y", false, {}});
  outbox.settle(leaves, "1-0");
  outbox.settle(late, "1-1");
  outbox.settle(joins, "1-2");
  EXPECT_THAT(socket.heard, ElementsAre(R"(["x"])"));
}

TEST_F(OutboxTest, TheOldestIsNotWaitedForWhenTooMuchWaits) {
  const auto first = say("first");
  for (std::size_t i = 0; i < Outbox::kMost; ++i) say("more");
  EXPECT_EQ(outbox.size(), Outbox::kMost);
  EXPECT_THAT(socket.heard, ElementsAre(R"(["first"])"));
  outbox.settle(first, "1-1");  // too late: it is not said twice
  EXPECT_EQ(socket.heard.size(), 1U);
}

// What Redis does not answer is held by its size, too: few large ones are as much as many small ones.
TEST_F(OutboxTest, NorWhenItIsTooLarge) {
  const auto first = say("first", Outbox::kMostBytes / 2);
  say("second", Outbox::kMostBytes / 2);
  EXPECT_THAT(socket.heard, IsEmpty());
  say("third", 1);
  EXPECT_THAT(socket.heard, ElementsAre(R"(["first"])"));
  say("fourth", Outbox::kMostBytes);
  EXPECT_THAT(socket.heard, ElementsAre(R"(["first"])", R"(["second"])", R"(["third"])"));
  outbox.settle(first, "1-1");
  EXPECT_EQ(outbox.size(), 1U);
}

// A handler that disconnect() has called says something, and ends the namespace.
TEST_F(OutboxTest, WhatIsSaidFromWithinComesLast) {
  host.on_disconnect = [&] { outbox.add_settled({}, Said{"from within", false, {}}); };
  FakeSocket& other = host.add("b");
  const auto leaves = outbox.add({{"a"}, {}, {}}, Outbox::Disconnect{true});
  outbox.add_settled({}, Said{"behind", false, {}});
  outbox.settle(leaves, "1-0");
  EXPECT_THAT(host.gone, ElementsAre("a closed"));
  EXPECT_THAT(other.heard, ElementsAre(R"(["behind"])", R"(["from within"])"));
}

TEST_F(OutboxTest, NothingIsDoneForANamespaceThatIsNoMore) {
  host.on_disconnect = [&] { host.stop = true; };
  FakeSocket& other = host.add("b");
  const auto leaves = outbox.add({{"a"}, {}, {}}, Outbox::Disconnect{false});
  outbox.add_settled({}, Said{"behind", false, {}});
  outbox.settle(leaves, "1-0");
  EXPECT_THAT(other.heard, IsEmpty());
}

}  // namespace
}  // namespace limpet::cluster
