#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "proxy/net/loop.h"

namespace limpet::net {
namespace {

// Writes its name down, and asks again as often as told.
struct Task {
  Task(Loop& in, std::string& into, char letter, int times = 1)
      : loop(in), trace(into), name(letter), again(times - 1) {}
  void run() {
    trace += name;
    if (other != nullptr) loop.at_end_of_turn(std::exchange(other, nullptr)->deferred);
    victim.reset();
    if (again-- > 0) loop.at_end_of_turn(deferred);
    if (last) loop.stop();
  }
  Loop& loop;
  std::string& trace;
  char name;
  int again;
  bool last = false;
  Task* other = nullptr;
  std::unique_ptr<Task> victim;
  Deferred deferred{delegate<&Task::run>(this)};
};

struct Turns : testing::Test {
  Loop loop;
  std::string trace;
  Task a{loop, trace, 'a'}, b{loop, trace, 'b'}, stop{loop, trace, '.'};
  Turns() { stop.last = true; }
};

TEST_F(Turns, EndAfterTasksAndTimersInTheOrderAskedFor) {
  const auto tick = [](void* self) { static_cast<Turns*>(self)->trace += 't'; };
  Timer timer(loop, {tick, this});
  timer.after(0);
  loop.at_end_of_turn(a.deferred);
  loop.at_end_of_turn(b.deferred);
  loop.at_end_of_turn(stop.deferred);
  loop.post([&] { trace += 'p'; });
  loop.run();
  EXPECT_EQ(trace.substr(trace.size() - 3), "ab.");
  EXPECT_NE(trace.find('p'), trace.npos);
}

TEST_F(Turns, RunWhatIsAskedForTwiceOnce) {
  loop.at_end_of_turn(a.deferred);
  loop.at_end_of_turn(a.deferred);
  EXPECT_TRUE(a.deferred.queued());
  loop.at_end_of_turn(stop.deferred);
  loop.run();
  EXPECT_EQ(trace, "a.");
  EXPECT_FALSE(a.deferred.queued());
}

TEST_F(Turns, RunNothingThatWasCancelledOrDestroyed) {
  auto gone = std::make_unique<Task>(loop, trace, 'x');
  loop.at_end_of_turn(a.deferred);
  loop.at_end_of_turn(gone->deferred);
  loop.at_end_of_turn(b.deferred);
  loop.at_end_of_turn(stop.deferred);
  gone.reset();
  b.deferred.cancel();
  loop.run();
  EXPECT_EQ(trace, "a.");
}

TEST_F(Turns, RunNothingThatAnotherDestroyedBeforeItsTurn) {
  a.victim = std::make_unique<Task>(loop, trace, 'x');
  loop.at_end_of_turn(a.deferred);
  loop.at_end_of_turn(a.victim->deferred);
  loop.at_end_of_turn(stop.deferred);
  loop.run();
  EXPECT_EQ(trace, "a.");
}

// No event would wake the loop: the test ends only if it does not sleep.
TEST_F(Turns, DoNotSleepWhileSomebodyAsksAgain) {
  a.again = 9;
  b.other = &stop;
  a.other = &b;
  loop.at_end_of_turn(a.deferred);
  loop.run();
  EXPECT_EQ(std::count(trace.begin(), trace.end(), '.'), 1);
  stop.other = nullptr;
  loop.at_end_of_turn(stop.deferred);
  while (a.deferred.queued()) loop.run(), loop.at_end_of_turn(stop.deferred);
  EXPECT_EQ(std::count(trace.begin(), trace.end(), 'a'), 10);
}

TEST_F(Turns, ServeInTheSameTurnWhatADeferredCallAsksOfAnother) {
  a.other = &b;
  b.last = true;
  loop.at_end_of_turn(a.deferred);
  loop.run();
  EXPECT_EQ(trace, "ab");
}

TEST(Deferred, MayOutliveItsLoop) {
  std::string trace;
  auto loop = std::make_unique<Loop>();
  Task a(*loop, trace, 'a');
  loop->at_end_of_turn(a.deferred);
  loop.reset();
  EXPECT_FALSE(a.deferred.queued());
  EXPECT_EQ(trace, "");
}

}  // namespace
}  // namespace limpet::net
