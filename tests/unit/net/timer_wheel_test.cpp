#include "proxy/net/timer_wheel.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace limpet::net {
namespace {

struct Wheel {
  explicit Wheel(std::uint64_t start = 1'000'003) : now(start), wheel(start) {}
  // Fires everything due by `to`, stepping only where next_ms() says, as a loop does.
  std::vector<TimerNode*> run_to(std::uint64_t to) {
    std::vector<TimerNode*> fired;
    while (true) {
      while (TimerNode* node = wheel.expire(now)) fired.push_back(node);
      const auto next = wheel.next_ms();
      if (!next || *next > to) break;
      now = std::max(*next, now + 1);
    }
    now = to;
    while (TimerNode* node = wheel.expire(now)) fired.push_back(node);
    return fired;
  }
  std::uint64_t now;
  TimerWheel wheel;
};

TEST(TimerWheel, NeverFiresEarlyAndAtMostOneTickLate) {
  for (const std::uint64_t delay : {0ull, 1ull, 7ull, 8ull, 9ull, 2000ull, 2048ull, 75'000ull, 3'600'000ull,
                                    604'800'000ull, 31'536'000'000ull}) {
    Wheel w;
    TimerNode node;
    const std::uint64_t deadline = w.now + delay;
    w.wheel.set(node, deadline);
    if (delay > 0) {
      EXPECT_TRUE(w.run_to(deadline - 1).empty()) << delay;
    }
    EXPECT_EQ(w.run_to(deadline + TimerWheel::kTickMs).size(), 1u) << delay;
    EXPECT_EQ(w.wheel.size(), 0u);
  }
}

TEST(TimerWheel, CancelledNodeDoesNotFire) {
  Wheel w;
  TimerNode a, b;
  w.wheel.set(a, w.now + 100);
  w.wheel.set(b, w.now + 100);
  w.wheel.cancel(a);
  w.wheel.cancel(a);
  const auto fired = w.run_to(w.now + 1000);
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0], &b);
}

TEST(TimerWheel, EmptyWheelAsksForNoWakeUp) {
  Wheel w;
  EXPECT_FALSE(w.wheel.next_ms());
  TimerNode node;
  w.wheel.set(node, w.now + 5);
  EXPECT_TRUE(w.wheel.next_ms());
  w.wheel.cancel(node);
  EXPECT_FALSE(w.wheel.next_ms());
}

TEST(TimerWheel, LongQuietTimeCostsFewWakeUps) {
  Wheel w;
  TimerNode node;
  w.wheel.set(node, w.now + 7ull * 24 * 3600 * 1000);
  int wakes = 0;
  while (w.wheel.size() > 0) {
    if (w.wheel.expire(w.now)) break;
    w.now = std::max(*w.wheel.next_ms(), w.now + 1);
    ++wakes;
  }
  EXPECT_LE(wakes, 5);
}

TEST(TimerWheel, AgreesWithASortedListUnderRandomUse) {
  std::mt19937_64 random(7);
  Wheel w;
  std::deque<TimerNode> nodes(300);
  std::map<TimerNode*, std::uint64_t> expected;
  const auto delay = [&] {
    const std::uint64_t reach[] = {20, 3000, 600'000, 20'000'000};
    return random() % reach[random() % 4];
  };
  for (int step = 0; step < 5000; ++step) {
    TimerNode& node = nodes[random() % nodes.size()];
    if (random() % 4 == 0) {
      w.wheel.cancel(node);
      expected.erase(&node);
    } else {
      const std::uint64_t deadline = w.now + delay();
      w.wheel.set(node, deadline);
      expected[&node] = deadline;
    }
    if (random() % 3 != 0) continue;
    const std::uint64_t to = w.now + delay() / (1 + random() % 50);
    for (TimerNode* fired : w.run_to(to)) {
      ASSERT_TRUE(expected.contains(fired));
      ASSERT_LE(expected[fired], to);
      expected.erase(fired);
    }
    for (const auto& [pending, deadline] : expected) ASSERT_GT(deadline + TimerWheel::kTickMs, to);
    ASSERT_EQ(w.wheel.size(), expected.size());
  }
}

TEST(TimerWheel, CallbackMaySetAndCancelWhileExpiring) {
  Wheel w;
  TimerNode a, b, c;
  w.wheel.set(a, w.now + 10);
  w.wheel.set(b, w.now + 10);
  w.now += 20;
  ASSERT_EQ(w.wheel.expire(w.now), &a);
  w.wheel.cancel(b);
  w.wheel.set(c, w.now - TimerWheel::kTickMs);
  w.wheel.set(a, w.now + 50);
  EXPECT_EQ(w.wheel.expire(w.now), &c);
  EXPECT_EQ(w.wheel.expire(w.now), nullptr);
  EXPECT_EQ(w.wheel.size(), 1u);
}

}  // namespace
}  // namespace limpet::net
