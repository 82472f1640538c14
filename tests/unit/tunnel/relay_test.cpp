// The byte path against a kernel that splits, shortens and fails every call at random: what arrives is what
// was sent, in order, none lost, none doubled, and no wake-up is missed.
#include "proxy/tunnel/relay.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/tunnel/fake_kernel.h"

namespace limpet::tunnel {
namespace {

class Seeded : public Choices {
 public:
  Seeded(std::uint64_t seed, int steps) : random_(seed), steps_(steps) {}
  std::uint32_t below(std::uint32_t n) override { return static_cast<std::uint32_t>(random_() % n); }
  bool left() override { return steps_-- > 0; }

 private:
  std::mt19937_64 random_;
  int steps_;
};

// Nothing happens but what the test says.
struct Still : Choices {
  std::uint32_t below(std::uint32_t) override { return 0; }
  bool left() override { return false; }
};

struct Scripted : ::testing::Test {
  Rig& open(Rig::Sizes sizes) {
    rig.emplace(still, sizes);
    rig->kernel.calm = true;
    rig->deliver();  // the first event, of a tunnel where nothing has happened
    return *rig;
  }
  ~Scripted() override { EXPECT_EQ(rig->complaint(), ""); }
  Still still;
  std::optional<Rig> rig;
};

TEST(Relay, BytesArriveInOrderNoneLostNoneDoubled) {
  std::size_t resets = 0, ends = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    Seeded choices(seed, static_cast<int>(seed % 120));
    Rig rig(choices, Rig::some_sizes(choices));
    rig.run();
    ASSERT_EQ(rig.complaint(), "") << "seed " << seed;
    ++(rig.t.why == Why::reset ? resets : ends);
  }
  EXPECT_GT(resets, 1000u) << "the peers hardly break: the test looks at nothing";
  EXPECT_GT(ends, 1000u) << "the peers hardly end: the test looks at nothing";
}

TEST(Relay, LargeMessagesThroughALargeBuffer) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Seeded choices(seed, 0);
    Rig rig(choices, {.scratch = 4096, .turn = 10'000, .low_water = 2000});
    rig.kernel.arrive(0, 100'000);
    rig.kernel.arrive(1, 50'000 + seed);
    for (int i = 0; i < 200; ++i) {
      rig.kernel.open_window(i % 2, choices.below(5000));
      rig.deliver();
      rig.check_quiet();
    }
    rig.run();
    ASSERT_EQ(rig.complaint(), "") << "seed " << seed;
  }
}

TEST_F(Scripted, AMessageIsOneReadAndOneWrite) {
  Rig& r = open({});
  r.kernel.open_window(1, 1000);
  r.deliver();
  const std::uint64_t before = r.kernel.calls;
  r.kernel.arrive(0, 20);
  r.deliver();
  EXPECT_EQ(r.kernel.sockets[1].taken, 20u);
  EXPECT_EQ(r.kernel.calls - before, 2u);
}

TEST_F(Scripted, HalfCloseLetsTheTailThrough) {
  Rig& r = open({});
  r.kernel.open_window(0, 1000);
  r.kernel.open_window(1, 1000);
  r.kernel.arrive(0, 7);
  r.kernel.end(0);
  r.deliver();
  EXPECT_EQ(r.kernel.sockets[1].taken, 7u);
  EXPECT_TRUE(r.kernel.sockets[1].shut);
  EXPECT_EQ(r.verdict, Verdict::waiting);
  r.kernel.arrive(1, 4);
  r.kernel.end(1);
  r.deliver();
  EXPECT_EQ(r.kernel.sockets[0].taken, 4u);
  EXPECT_TRUE(r.ended());
  EXPECT_EQ(r.t.first, Who::client);
  EXPECT_EQ(r.t.why, Why::eof);
}

TEST_F(Scripted, WhatCameBeforeAResetIsDeliveredToASlowReader) {
  Rig& r = open({.scratch = 16});
  r.kernel.arrive(1, 500);
  r.deliver();
  r.kernel.reset(1);
  r.deliver();
  EXPECT_FALSE(r.ended());
  r.kernel.open_window(0, 5000);
  r.deliver();
  EXPECT_EQ(r.kernel.sockets[0].taken, 500u);
  EXPECT_TRUE(r.ended());
  EXPECT_EQ(r.t.first, Who::server);
  EXPECT_EQ(r.t.why, Why::reset);
}

TEST_F(Scripted, SlowSideStopsReadingFromTheOther) {
  Rig& r = open({.scratch = 16});
  r.kernel.arrive(0, 1000);
  r.deliver();
  EXPECT_EQ(r.pending(0), 16u);
  EXPECT_EQ(r.kernel.sockets[0].read, 16u);
  r.kernel.open_window(1, 5000);
  r.deliver();
  EXPECT_EQ(r.kernel.sockets[1].taken, 1000u);
  EXPECT_EQ(r.buffers.held(), 0u);
}

TEST_F(Scripted, BusyTunnelYields) {
  constexpr std::size_t kTurn = Relay<FakeKernel>::kMostPerTurn, kScratch = 128 * 1024;
  Rig& r = open({.scratch = kScratch});
  r.kernel.open_window(1, 16 << 20);
  r.deliver();
  r.kernel.arrive(0, 2 << 20);
  r.handle(0, r.kernel.fetch(0));
  EXPECT_EQ(r.verdict, Verdict::yielded);
  EXPECT_EQ(r.kernel.sockets[1].taken, kTurn);
  r.deliver();
  EXPECT_EQ(r.kernel.sockets[1].taken, std::uint64_t{2} << 20);
}

}  // namespace
}  // namespace limpet::tunnel
