#include "peers.h"

#include <gmock/gmock.h>

namespace limpet::ws {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(Peers, MessageComesUpAndOneGoesDown) {
  open();
  say(text("hello"));
  EXPECT_THAT(server.heard, ElementsAre("text hello"));
  send("there");
  EXPECT_THAT(answer(), ElementsAre("text there"));
  EXPECT_EQ(server.drained, 1);
}

}  // namespace
}  // namespace limpet::ws
