// FamilyWorld: nodes of the sharded or the streams adapter on a real Redis, with sockets that keep what they
// hear, and a peer that says what it likes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/cluster/cluster.h"
#include "tests/unit/cluster/fake_host.h"
#include "tests/unit/cluster/outcome.h"
#include "tests/unit/redis/world.h"

namespace limpet::cluster {

class FamilyWorld : public redis::World {
 protected:
  struct Node {
    Node(net::Loop& loop, std::unique_ptr<redis::Redis> its_link, std::string nsp)
        : link(std::move(its_link)), host(loop, std::move(nsp)) {
      host.rooms().on_room = [this](std::string_view room, bool exists) {
        if (adapter) adapter->on_room(room, exists);
      };
      host.rooms().on_member = [this](std::string_view id, bool here) {
        if (adapter) adapter->on_socket(id, here);
      };
    }
    ~Node() { adapter.reset(); }
    adapter::Adapter* operator->() const { return adapter.get(); }

    Tally tally = std::make_shared<Totals>();
    std::unique_ptr<redis::Redis> link;
    FakeHost host;
    adapter::Factory factory;
    std::unique_ptr<adapter::Adapter> adapter;
  };
  void SetUp() override {
    redis::World::SetUp();
    if (HasFatalFailure()) return;
    server = std::make_unique<redis::Server>(std::vector<std::string>{}, false);
    peer = connect(redis::settings_of(server->unix_url()));
  }
  void TearDown() override { nodes.clear(); }

  Node& sharded_node(const ShardedSettings& settings = {}, std::string nsp = "/") {
    return add([&](Node& it) { return sharded(*it.link, settings, it.tally); }, true, std::move(nsp));
  }
  Node& streams_node(const StreamsSettings& settings = {}, std::string nsp = "/") {
    return add([&](Node& it) { return streams(*it.link, settings, it.tally); }, settings.sharded_pubsub,
               std::move(nsp));
  }
  template <class Make>
  Node& add(Make&& make, bool is_sharded, std::string nsp) {
    redis::Settings its_settings = redis::hasty(redis::settings_of(server->unix_url()));
    its_settings.max_reply_bytes = max_reply_bytes;
    auto link = connect(its_settings);
    Node& made = *nodes.emplace_back(std::make_unique<Node>(loop, std::move(link), nsp));
    made.factory = make(made);
    const std::size_t before = subscribers(is_sharded, nsp);
    made.adapter = made.factory(made.host);
    EXPECT_TRUE(until([&] { return subscribers(is_sharded, nsp) == before + 1; }));
    return made;
  }
  std::size_t subscribers(bool is_sharded, const std::string& nsp) {
    const std::string answer =
        (*server)({"PUBSUB", is_sharded ? "SHARDNUMSUB" : "NUMSUB", "socket.io#" + nsp + "#"});
    return std::stoul(answer.substr(answer.rfind(' ') + 1));
  }
  void say(bool is_sharded, const std::string& channel, const std::string& body) {
    redis::Answer answer;
    if (is_sharded)
      peer->shard_publish(channel, body, answer.take());
    else
      peer->publish(channel, body, answer.take());
    ASSERT_TRUE(until([&] { return answer.done(); }));
  }
  static void tell(Node& node, std::string_view name, const codec::Args& args, adapter::Target target = {}) {
    node->broadcast({name, args}, target);
  }
  bool until_heard(const FakeSocket& socket, std::size_t count) {
    return until([&] { return socket.heard.size() >= count; });
  }

  std::size_t max_reply_bytes = redis::Settings().max_reply_bytes;
  std::unique_ptr<redis::Server> server;
  std::unique_ptr<redis::Redis> peer;
  std::vector<std::unique_ptr<Node>> nodes;
};

}  // namespace limpet::cluster
