// The table of the design, sentence by sentence.
#include "health/state_machine.h"

#include <gtest/gtest.h>

#include <random>

namespace limpet::health {
namespace {

using routing::State;

struct Machine : testing::Test {
  Settings settings;
  StateMachine machine{settings};
  std::uint64_t now = 1'000'000;
  bool pool_down = false;
  std::uint32_t failed = 0;  // connects in a row, the workers' too

  StateMachine::Step probe(Result result) {
    now += 500;
    failed = result == Result::connect_failed ? failed + 1 : 0;
    return machine.on_probe(result, "seen", now, pool_down, failed);
  }
  void probes(Result result, int count) {
    for (int i = 0; i < count; ++i) probe(result);
  }
  void bring_up() { probe(Result::passed); }
  void bring_down() {
    probes(Result::silent, static_cast<int>(settings.fall));
    ASSERT_EQ(machine.state(), State::down);
  }
};

TEST_F(Machine, NotYetProbedCountsAsUp) {
  EXPECT_EQ(machine.state(), State::up);
}

TEST_F(Machine, FirstResultCountsAlone) {
  for (const auto& [result, state] :
       {std::pair{Result::passed, State::up}, std::pair{Result::wrong, State::refusing},
        std::pair{Result::silent, State::down}, std::pair{Result::connect_failed, State::down}}) {
    StateMachine fresh(settings);
    const auto step = fresh.on_probe(result, "first", now, false, 1);
    EXPECT_EQ(fresh.state(), state);
    EXPECT_FALSE(step.slow_start);
  }
}

TEST_F(Machine, WhoIsAddedGetsNoSessionsBeforeItsFirstResultAndStartsSlowly) {
  for (const auto& [result, state] :
       {std::pair{Result::passed, State::up}, std::pair{Result::wrong, State::refusing},
        std::pair{Result::silent, State::down}, std::pair{Result::connect_failed, State::down}}) {
    StateMachine added(settings, StateMachine::Since::later);
    EXPECT_EQ(added.state(), State::refusing);
    const auto step = added.on_probe(result, "first", now, false, 1);
    EXPECT_EQ(added.state(), state);
    EXPECT_EQ(step.slow_start, result == Result::passed);
  }
}

TEST_F(Machine, OneUnansweredProbeMakesItSuspectAndFallOfThemDown) {
  bring_up();
  probe(Result::silent);
  EXPECT_EQ(machine.state(), State::suspect);
  probe(Result::silent);
  EXPECT_EQ(machine.state(), State::suspect);
  const auto step = probe(Result::silent);
  EXPECT_EQ(machine.state(), State::down);
  EXPECT_EQ(step.from, State::suspect);
  EXPECT_NE(machine.reason().find("3 in a row"), std::string::npos);
}

TEST_F(Machine, SuspectIsUpByItsFirstGoodProbeWithoutSlowStart) {
  bring_up();
  probe(Result::silent);
  const auto step = probe(Result::passed);
  EXPECT_EQ(machine.state(), State::up);
  EXPECT_FALSE(step.slow_start);
}

TEST_F(Machine, SilenceMustBeInARow) {
  bring_up();
  for (int i = 0; i < 5; ++i) {
    probes(Result::silent, 2);
    EXPECT_EQ(machine.state(), State::suspect);
    probe(Result::passed);
    EXPECT_EQ(machine.state(), State::up);
  }
}

TEST_F(Machine, UnexpectedAnswerRefusesAtOnceAndRiseGoodOnesEndIt) {
  bring_up();
  probe(Result::wrong);
  EXPECT_EQ(machine.state(), State::refusing);
  probe(Result::passed);
  EXPECT_EQ(machine.state(), State::refusing);
  probe(Result::wrong);
  probe(Result::passed);
  EXPECT_EQ(machine.state(), State::refusing);
  probe(Result::passed);
  EXPECT_EQ(machine.state(), State::up);
}

TEST_F(Machine, DownServerThatAnswersWronglyIsNotSilentAnyMore) {
  bring_up();
  bring_down();
  probe(Result::wrong);
  EXPECT_EQ(machine.state(), State::refusing);
}

TEST_F(Machine, TwoFailedConnectsInARowAreDownFromAnyState) {
  bring_up();
  EXPECT_FALSE(machine.on_connect_failed(1, "refused", now).changed);
  EXPECT_EQ(machine.state(), State::up);
  EXPECT_TRUE(machine.on_connect_failed(2, "refused", now).changed);
  EXPECT_EQ(machine.state(), State::down);
}

TEST_F(Machine, ProbesConnectsCountTogetherWithWorkers) {
  bring_up();
  machine.on_connect_failed(failed = 1, "refused", now);
  probe(Result::connect_failed);
  EXPECT_EQ(machine.state(), State::down);
}

TEST_F(Machine, AWorkersGoodConnectBetweenStartsTheRowAnew) {
  bring_up();
  machine.on_connect_failed(failed = 1, "refused", now);
  failed = 0;  // it connected
  probe(Result::connect_failed);
  EXPECT_EQ(machine.state(), State::up);
}

TEST_F(Machine, GoodProbeBetweenFailedConnectsStartsTheRowAnew) {
  bring_up();
  probe(Result::connect_failed);
  probe(Result::passed);
  probe(Result::connect_failed);
  EXPECT_EQ(machine.state(), State::up);
}

TEST_F(Machine, FailedConnectBringsTheNextProbeSoon) {
  settings.jitter = 0;
  bring_up();
  EXPECT_EQ(machine.next_delay_ms(0.5, false), settings.interval_ms);
  probe(Result::connect_failed);
  EXPECT_EQ(machine.next_delay_ms(0.5, false), settings.fast_interval_ms);
}

TEST_F(Machine, ProbesAreFastWhileAStateIsChangingAndWhileThePoolIsDown) {
  settings.jitter = 0;
  bring_up();
  probe(Result::silent);
  EXPECT_EQ(machine.next_delay_ms(0.5, false), settings.fast_interval_ms);
  probes(Result::silent, 2);
  EXPECT_EQ(machine.next_delay_ms(0.5, false), settings.interval_ms) << "down and silent is settled";
  EXPECT_EQ(machine.next_delay_ms(0.5, true), settings.fast_interval_ms);
  probe(Result::passed);
  EXPECT_EQ(machine.next_delay_ms(0.5, false), settings.fast_interval_ms) << "coming up";
}

TEST_F(Machine, JitterMakesProbesUpToTenPercentSooner) {
  bring_up();
  EXPECT_EQ(machine.next_delay_ms(0.0, false), 2000u);
  EXPECT_NEAR(static_cast<double>(machine.next_delay_ms(0.9999, false)), 1800, 1);
}

TEST_F(Machine, DownNeedsRiseGoodProbesAndThenStartsSlowly) {
  bring_up();
  bring_down();
  EXPECT_FALSE(probe(Result::passed).changed);
  const auto step = probe(Result::passed);
  EXPECT_TRUE(step.changed);
  EXPECT_TRUE(step.slow_start);
  EXPECT_EQ(machine.state(), State::up);
}

TEST_F(Machine, PoolThatIsAllDownTakesItsFirstGoodProbeAlone) {
  bring_up();
  bring_down();
  pool_down = true;
  probe(Result::passed);
  EXPECT_EQ(machine.state(), State::up);
}

TEST_F(Machine, ThirdDownInAMinuteDoublesRiseAndEachFurtherOneAgain) {
  bring_up();
  const auto fall_and_rise = [&] {
    machine.on_connect_failed(2, "refused", now += 100);
    const std::uint32_t needed = machine.needed();
    for (std::uint32_t i = 0; i < needed; ++i) machine.on_probe(Result::passed, "ok", now += 100, false, 0);
    EXPECT_EQ(machine.state(), State::up);
    return needed;
  };
  EXPECT_EQ(fall_and_rise(), 2u);
  EXPECT_EQ(fall_and_rise(), 2u);
  EXPECT_EQ(fall_and_rise(), 4u);
  EXPECT_EQ(fall_and_rise(), 8u);
  now += StateMachine::kFlapWindowMs + 1;
  EXPECT_EQ(fall_and_rise(), 2u) << "a quiet minute is forgiven";
}

TEST_F(Machine, FlappingNeverNeedsMoreThanAMinuteOfFastProbes) {
  bring_up();
  for (int i = 0; i < 40; ++i) {
    machine.on_connect_failed(2, "refused", now += 1);
    EXPECT_LE(machine.needed(), 120u);
    pool_down = true;
    probe(Result::passed);
    pool_down = false;
  }
}

TEST_F(Machine, WithoutProbesFailedConnectsAreOnlyCounted) {
  settings.type = Settings::Type::off;
  EXPECT_FALSE(machine.on_connect_failed(7, "refused", now).changed);
  EXPECT_EQ(machine.state(), State::up);
}

TEST_F(Machine, NameThatDoesNotResolveIsDownAndThenProbedAfresh) {
  EXPECT_TRUE(machine.on_unresolved("ws3.internal: Name or service not known", now).changed);
  EXPECT_EQ(machine.state(), State::down);
  EXPECT_EQ(machine.reason(), "ws3.internal: Name or service not known");
  probe(Result::passed);
  EXPECT_EQ(machine.state(), State::up);
}

TEST_F(Machine, NeverUpAgainWithoutAGoodProbeWhateverHappens) {
  std::mt19937 random(11);
  for (int round = 0; round < 2000; ++round) {
    StateMachine any(settings);
    bool good_since_down = true;
    for (int i = 0; i < 60; ++i) {
      now += 1 + random() % 3000;
      const auto result = static_cast<Result>(random() % 4);
      const State before = any.state();
      if (random() % 3 == 0) {
        any.on_connect_failed(1 + random() % 3, "refused", now);
      } else {
        any.on_probe(result, "x", now, random() % 2 == 0, 1 + random() % 2);
        if (result == Result::passed) good_since_down = true;
      }
      if (any.state() == State::down && before != State::down) good_since_down = false;
      EXPECT_TRUE(good_since_down || any.state() != State::up || before == State::up);
      const std::uint64_t delay = any.next_delay_ms(0.5, random() % 2 == 0);
      EXPECT_GE(delay, settings.fast_interval_ms * 9 / 10);
      EXPECT_LE(delay, settings.interval_ms);
    }
  }
}

}  // namespace
}  // namespace limpet::health
