#include "backend/cluster/live_sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace limpet::cluster {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LiveSessionsTest : public testing::Test {
 protected:
  // Runs until something has been renewed.
  void until_renewed(std::size_t count) {
    stop_at = count;
    loop.run();
  }
  net::Loop loop;
  std::vector<std::string> renewed;
  std::size_t stop_at = 0;
  LiveSessions live{loop, 40, [this](const std::string& pid, const std::string& sid) {
                      renewed.push_back(pid + " " + sid);
                      if (renewed.size() == stop_at) loop.stop();
                    }};
};

TEST_F(LiveSessionsTest, AreRenewedAsLongAsTheyLive) {
  EXPECT_TRUE(live.keep("p1", "s1"));
  EXPECT_TRUE(live.keep("p2", "s2"));
  until_renewed(2);
  EXPECT_THAT(renewed, ElementsAre("p1 s1", "p2 s2"));
  live.drop("p1");
  live.drop("unknown");
  until_renewed(4);
  EXPECT_THAT(renewed, ElementsAre("p1 s1", "p2 s2", "p2 s2", "p2 s2"));
  EXPECT_EQ(live.size(), 1U);
}

TEST_F(LiveSessionsTest, WhoWasSavedAgainStandsBehind) {
  live.keep("p1", "s1");
  live.keep("p2", "s2");
  live.keep("p1", "s1");
  until_renewed(2);
  EXPECT_THAT(renewed, ElementsAre("p2 s2", "p1 s1"));
}

TEST_F(LiveSessionsTest, AreNotMoreThanTheBound) {
  for (std::size_t i = 0; i < LiveSessions::kMost; ++i) ASSERT_TRUE(live.keep(std::to_string(i), "s"));
  EXPECT_FALSE(live.keep("one more", "s"));
  EXPECT_TRUE(live.keep("0", "s"));
  live.drop("1");
  EXPECT_TRUE(live.keep("one more", "s"));
  EXPECT_THAT(renewed, IsEmpty());
}

}  // namespace
}  // namespace limpet::cluster
