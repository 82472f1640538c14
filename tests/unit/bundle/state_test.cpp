// Which states follow which.
#include "proxy/bundle/state.h"

#include <gtest/gtest.h>

namespace limpet::bundle {
namespace {

constexpr State kAll[] = {State::waiting,  State::starting, State::ready,  State::hung,
                          State::stopping, State::held,     State::stopped};

TEST(States, NoneFollowsItself) {
  for (const State each : kAll) EXPECT_FALSE(allowed(each, each)) << name(each);
}

TEST(States, AProcessBeginsFromNoProcess) {
  for (const State each : kAll) EXPECT_FALSE(allowed(each, State::starting) && runs(each)) << name(each);
}

TEST(States, OnlyWhoStartedBecomesReady) {
  for (const State each : kAll) EXPECT_EQ(allowed(each, State::ready), each == State::starting) << name(each);
}

TEST(States, WhoHangsIsNeverReadyAgain) {
  EXPECT_FALSE(allowed(State::hung, State::ready));
  EXPECT_TRUE(allowed(State::hung, State::waiting));
  EXPECT_TRUE(allowed(State::hung, State::held));
}

TEST(States, HaveNames) {
  for (const State each : kAll) {
    for (const State other : kAll) EXPECT_EQ(name(each) == name(other), each == other);
  }
}

}  // namespace
}  // namespace limpet::bundle
