#include "backend/cluster/stream_hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/redis/world.h"

namespace limpet::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StreamHubTest : public redis::World {
 protected:
  StreamHub make() {
    StreamsSettings settings;
    settings.stream = "mine";
    settings.on_warning = [this](std::string_view what) { warnings.emplace_back(what); };
    return {redis, settings, std::make_shared<Totals>()};
  }
  redis::Redis redis{loop, redis::settings_of("unix:///nowhere")};  // never started
  std::vector<std::string> warnings;
};

TEST_F(StreamHubTest, WhoIsAloneOnItsStreamAmongOthersIsToldOnce) {
  StreamHub hub = make();
  hub.on_nodes(3, 1'000);
  hub.on_nodes(3, 60'999);
  EXPECT_THAT(warnings, IsEmpty());
  hub.on_nodes(3, 61'000);
  hub.on_nodes(3, 200'000);
  EXPECT_THAT(warnings, ElementsAre(testing::AllOf(HasSubstr("3 nodes"), HasSubstr("mine"))));
}

TEST_F(StreamHubTest, OthersThatGoMeanwhileAreNobody) {
  StreamHub hub = make();
  hub.on_nodes(2, 1'000);
  hub.on_nodes(1, 30'000);
  hub.on_nodes(2, 50'000);
  hub.on_nodes(2, 100'000);
  EXPECT_THAT(warnings, IsEmpty());
}

}  // namespace
}  // namespace limpet::cluster
