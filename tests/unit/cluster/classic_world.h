// ClassicWorld: nodes of the classic adapter on a real Redis, and a peer that says and hears what it likes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/cluster/classic.h"
#include "tests/unit/cluster/fake_host.h"
#include "tests/unit/cluster/outcome.h"
#include "tests/unit/redis/world.h"

namespace limpet::cluster {

using Target = adapter::Target;

inline constexpr const char* kRequests = "socket.io-request#/#";
inline constexpr const char* kAnswers = "socket.io-response#/#";

inline Target to(std::vector<std::string> rooms, std::vector<std::string> except = {}) {
  return {std::move(rooms), std::move(except), {}};
}
inline Target here(std::vector<std::string> rooms = {}) {
  Target target = to(std::move(rooms));
  target.flags.local = true;
  return target;
}
// As a node of Node.js says it.
inline std::string broadcast_of(std::string_view uid, const codec::Args& data, const Target& target = {},
                                std::string_view nsp = "/") {
  codec::msgpack::Writer out;
  boost::json::array rest(data.values().begin() + 1, data.values().end());
  classic_wire::write_broadcast(out, uid, nsp, {data[0].as_string(), codec::Args(rest, data.binaries())},
                                target);
  return std::string(out.bytes());
}

class ClassicWorld : public redis::World {
 protected:
  struct Node {
    Node(net::Loop& loop, std::unique_ptr<redis::Redis> its_link, const ClassicSettings& settings,
         const std::string& nsp)
        : host(loop, nsp),
          link(std::move(its_link)),
          classic(std::make_unique<Classic>(host, *link, settings, tally)) {}
    FakeHost host;
    Tally tally = std::make_shared<Totals>();
    std::unique_ptr<redis::Redis> link;
    std::unique_ptr<Classic> classic;
  };
  void SetUp() override {
    redis::World::SetUp();
    if (HasFatalFailure()) return;
    server = std::make_unique<redis::Server>(std::vector<std::string>{}, false);
    peer = connect(redis::settings_of(server->unix_url()));
    everything = peer->subscribe(redis::Subscribed::pattern, "*", ear);
    ASSERT_TRUE(until([&] { return ear.subscribed > 0; }));
  }

  Node& node(const ClassicSettings& settings = {}, const std::string& nsp = "/") {
    auto link = connect(redis::hasty(redis::settings_of(server->unix_url())));
    Node& made = *nodes.emplace_back(std::make_unique<Node>(loop, std::move(link), settings, nsp));
    EXPECT_TRUE(until([&] { return made.classic->listening(); }));
    return made;
  }
  void say(const std::string& channel, const std::string& body) {
    redis::Answer answer;
    peer->publish(channel, body, answer.take());
    ASSERT_TRUE(until([&] { return answer.done(); }));
  }
  // What has been published on a channel that begins so, the last one.
  std::string last_on(const std::string& channel) {
    for (auto it = ear.heard.rbegin(); it != ear.heard.rend(); ++it) {
      if (it->starts_with(channel + " ")) return it->substr(channel.size() + 1);
    }
    return {};
  }
  bool until_heard(const std::string& channel, const std::string& body) {
    return until([&] { return last_on(channel) == body; });
  }

  std::unique_ptr<redis::Server> server;
  redis::Ear ear;  // hears all that is published
  std::unique_ptr<redis::Redis> peer;
  redis::Subscription everything;
  std::vector<std::unique_ptr<Node>> nodes;
};

}  // namespace limpet::cluster
