#include "proxy/log/lane.h"

#include <gtest/gtest.h>

#include <thread>

namespace limpet::log {
namespace {

std::string drained(Lane& lane) {
  std::string out;
  lane.drain(out);
  return out;
}

TEST(Lane, GivesLinesInTheirOrder) {
  Lane lane(64);
  EXPECT_EQ(lane.push("one\n"), Lane::Pushed::calm);
  EXPECT_EQ(lane.push("two\n"), Lane::Pushed::calm);
  EXPECT_EQ(drained(lane), "one\ntwo\n");
  EXPECT_EQ(drained(lane), "");
}

TEST(Lane, TakesAWholeLineOrNothing) {
  Lane lane(16);
  EXPECT_EQ(lane.push("0123456\n"), Lane::Pushed::calm) << "half of it is taken";
  EXPECT_EQ(lane.push("01234567\n"), Lane::Pushed::no_room);
  EXPECT_EQ(lane.push("0123456\n"), Lane::Pushed::crowded);
  EXPECT_EQ(lane.push("\n"), Lane::Pushed::no_room);
  EXPECT_EQ(drained(lane), "0123456\n0123456\n");
  EXPECT_EQ(lane.push("0123456789abcde\n"), Lane::Pushed::crowded) << "all of it";
}

TEST(Lane, LinesGoRoundTheEnd) {
  Lane lane(16);
  for (int i = 0; i < 100; ++i) {
    const std::string line = std::to_string(i * 7919) + "\n";
    ASSERT_NE(lane.push(line), Lane::Pushed::no_room);
    EXPECT_EQ(drained(lane), line);
  }
}

TEST(Lane, TwoThreadsSeeEveryLineOnce) {
  constexpr int kLines = 20'000;
  Lane lane(256);
  std::thread producer([&lane] {
    for (int i = 0; i < kLines; ++i) {
      while (lane.push(std::to_string(i) + "\n") == Lane::Pushed::no_room) std::this_thread::yield();
    }
    lane.retire();
  });
  std::string got, expected;
  for (bool last = false; !last;) {
    last = lane.retired();
    const std::size_t before = got.size();
    lane.drain(got);
    if (got.size() == before) std::this_thread::yield();
  }
  producer.join();
  for (int i = 0; i < kLines; ++i) expected += std::to_string(i) + "\n";
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace limpet::log
