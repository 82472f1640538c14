#include "backend/redis/channels.h"

#include <gmock/gmock.h>

#include "tests/unit/redis/world.h"

namespace limpet::redis {
namespace {

using testing::ElementsAre;

struct Nobody final : Link::Owner {
  std::optional<Endpoint> link_target(const Link&) override { return std::nullopt; }
  void on_link_up(Link&) override {}
  void on_link_lost(Link&, bool, std::string_view) override {}
};

struct TwoLinks final : Channels::Carrier {
  explicit TwoLinks(net::Loop& loop) : context(std::make_shared<Context>(loop, Settings())) {}
  Link* link_of(Subscribed, std::string_view) override { return wanted; }
  void on_subscribe_refused(Subscribed, std::string_view, std::string_view) override {}
  std::shared_ptr<Link> make() {
    return std::make_shared<Link>(context, nobody, Link::Use::subscriptions, Greeting());
  }

  std::shared_ptr<Context> context;
  Nobody nobody;
  std::shared_ptr<Link> first = make(), second = make();
  Link* wanted = first.get();
};

// A cluster's servers pass on what was published to each other: for a moment two of them say it to us.
TEST(Channels, AChannelThatHasMovedIsHeardOnItsNewLinkAlone) {
  net::Loop loop;
  TwoLinks links(loop);
  Channels channels(loop, links, 1'000);
  Ear ear;
  const auto entry = channels.add(Subscribed::channel, "c", ear);
  channels.message(*links.first, Subscribed::channel, "c", "c", "before");
  links.wanted = links.second.get();
  channels.place_all();
  channels.message(*links.first, Subscribed::channel, "c", "c", "late");
  channels.message(*links.second, Subscribed::channel, "c", "c", "after");
  EXPECT_THAT(ear.heard, ElementsAre("c before", "c after"));
  channels.remove(*entry);
  delete entry;
}

}  // namespace
}  // namespace limpet::redis
