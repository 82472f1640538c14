#include "backend/cluster/family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>

#include "tests/fuzz/family_probe.h"

namespace limpet::cluster {
namespace {

// What no client would take is its sender's fault; that this node is out of memory is not.
TEST(FamilyTest, OnlyWhatNoClientWouldTakeIsCountedAsMalformed) {
  ProbeWorld world;
  const auto say = [&](std::string_view event) {
    world.probe->on_message("socket.io#/#", R"({"type":3,"nsp":"/","data":{"packet":{"data":[")" +
                                                std::string(event) + R"("]},"opts":{}}})");
  };
  say("connect");
  EXPECT_EQ(world.probe->tally_->malformed, 1U);
  world.host.handlers["full"] = [](const codec::Args&, const FakeHost::Reply&) { throw std::bad_alloc(); };
  EXPECT_THROW(world.probe->on_message("socket.io#/#", R"({"type":9,"nsp":"/","data":{"packet":["full"]}})"),
               std::bad_alloc);
  EXPECT_EQ(world.probe->tally_->malformed, 1U);
}

TEST(FamilyTest, IdsAreSixteenDigits) {
  ProbeWorld world;
  EXPECT_THAT(world.probe->draw_id(), testing::MatchesRegex("[0-9a-f]{16}"));
  EXPECT_NE(world.probe->draw_id(), world.probe->draw_id());
}

}  // namespace
}  // namespace limpet::cluster
