// World: nodes that keep presence in one Redis, a server or a cluster of three, and an eye that looks at it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "backend/presence/presence.h"
#include "tests/unit/redis/world.h"

namespace limpet::presence {

// With short clocks.
struct Node {
  Node(net::Loop& loop, redis::Settings link, const std::string& id, std::uint64_t beat_ms = 40)
      : redis(loop, redis::hasty(std::move(link))),
        presence(std::make_unique<Presence>(loop, redis, Settings{id, {}, beat_ms, 4 * beat_ms})) {
    redis.on_link = [this](bool up) {
      if (presence) presence->on_link(up);
    };
    redis.start();
  }
  ~Node() { redis.on_link = nullptr; }
  void die() { presence.reset(); }  // as by SIGKILL: without a word
  Presence* operator->() { return presence.get(); }

  redis::Redis redis;
  std::unique_ptr<Presence> presence;
};

struct World : redis::World {
  using Hash = std::map<std::string, std::string>;

  void look_with(const redis::Settings& settings) {
    link = settings;
    eye = connect(settings);
  }
  std::unique_ptr<Node> node(const std::string& id, std::uint64_t beat_ms = 40) {
    auto it = std::make_unique<Node>(loop, link, id, beat_ms);
    EXPECT_TRUE(until([&] { return it->redis.up(); }));
    return it;
  }

  // What Redis says of one user.
  struct Seen {
    Hash connections, newest, sockets;
    bool operator==(const Seen&) const = default;
  };
  Hash hash(const std::string& key) {
    Hash out;
    bool done = false;
    eye->command(
        {"HGETALL", key},
        [&](const redis::Result& result) {
          done = true;
          for (std::size_t i = 0; i + 1 < result.reply.size(); i += 2)
            out[std::string(result.reply[i].text())] = result.reply[i + 1].text();
        },
        key);
    EXPECT_TRUE(until([&] { return done; }));
    return out;
  }
  Seen seen(const std::string& id) {
    Seen out{hash("user:connections"), hash("user:" + id), hash("user:" + id + ":sockets")};
    std::erase_if(out.connections, [&](const auto& each) { return each.first != id; });
    return out;
  }
  // Looks again until it is so.
  bool becomes(const std::function<bool()>& so) {
    const std::uint64_t end = net::now_ms() + 20'000;
    while (!so()) {
      if (net::now_ms() > end) return false;
      bool turned = false;
      loop.post([&] { turned = true; });
      until([&] { return turned; });
    }
    return true;
  }
  // That the user's newest socket is that, on that server, and that it has so many.
  bool is(const std::string& id, const std::string& socket, const std::string& server, std::size_t count) {
    return becomes([&] {
      const Seen it = seen(id);
      return it.connections == Hash{{id, server}} && it.newest.count("socketId") &&
             it.newest.at("socketId") == socket && it.newest.at("serverId") == server &&
             it.sockets.size() == count;
    });
  }
  bool is_gone(const std::string& id) {
    return becomes([&] { return seen(id) == Seen{}; });
  }
  std::string tell(std::initializer_list<std::string_view> words, std::string_view key = {}) {
    return ask(*eye, words, key);
  }

  redis::Settings link;
  std::unique_ptr<redis::Redis> eye;
};

}  // namespace limpet::presence
