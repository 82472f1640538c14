// cluster::sharded: @socket.io/redis-adapter's createShardedAdapter(), over SSUBSCRIBE and SPUBLISH.
//
// A broadcast to one room travels on that room's channel, `PREFIX#NSP#ROOM#`, to which a node listens while
// it has somebody in it; everything else on the channel of all. This node's own sockets hear it at once.
// There is no recovery here: Node.js's appends "" and null to each event when it is configured, which no
// client can come back with; this one appends nothing.
#include <unordered_map>
#include <utility>

#include "backend/cluster/channel_rule.h"
#include "backend/cluster/family.h"
#include "backend/cluster/room_name.h"

namespace limpet::cluster {
namespace {

using adapter::Event;
using adapter::Target;
using family::Type;

class Sharded final : public Family {
 public:
  Sharded(adapter::Host& host, redis::Redis& redis, const ShardedSettings& settings, Tally tally)
      : Family(host, redis,
               {.prefix = settings.channel_prefix,
                .sharded = true,
                .prefers_text = true,
                .requests_timeout_ms = settings.requests_timeout_ms},
               std::move(tally)),
        mode_(settings.mode) {}

  void broadcast(const Event& event, const Target& target) override {
    const adapter::Encoded packet = host_.encode(event, std::nullopt);
    if (!target.flags.local) {
      const bool one = target.rooms.size() == 1 && publishes_to_room(mode_, target.rooms.front());
      const family::Outgoing what{.type = Type::broadcast, .target = &target, .event = &event};
      if (one)
        say(channel_of(room_in_channel(target.rooms.front())), what);
      else
        say(channel_, what);
    }
    host_.deliver(packet, target);
  }
  void join(const Target& target, const std::vector<std::string>& rooms) override {
    if (!target.flags.local) say(channel_, {.type = Type::join, .target = &target, .rooms = &rooms});
    host_.join(target, rooms);
  }
  void leave(const Target& target, const std::vector<std::string>& rooms) override {
    if (!target.flags.local) say(channel_, {.type = Type::leave, .target = &target, .rooms = &rooms});
    host_.leave(target, rooms);
  }
  void disconnect(const Target& target, bool close) override {
    if (!target.flags.local) say(channel_, {.type = Type::disconnect, .target = &target, .close = close});
    host_.disconnect(target, close);
  }

  void on_room(std::string_view room, bool exists) override {
    if (mode_ != SubscriptionMode::static_) listen_to(room, exists);
  }
  void on_socket(std::string_view id, bool here) override {
    if (listens_to_socket(mode_, id)) listen_to(id, here);
  }

 private:
  // What is on one channel here: a room, the number that looks like it, a socket of that name.
  struct Heard {
    redis::Subscription subscription;
    std::size_t count = 0;
  };

  void listen_to(std::string_view room, bool exists) {
    const std::string_view name = room_in_channel(room);
    const auto at = heard_.find(name);
    if (exists && at == heard_.end())
      heard_.emplace(std::string(name), Heard{listen(channel_of(name)), 1});
    else if (exists)
      ++at->second.count;
    else if (at != heard_.end() && --at->second.count == 0)
      heard_.erase(at);
  }

  const SubscriptionMode mode_;
  std::unordered_map<std::string, Heard, names::Hash, std::equal_to<>> heard_;  // by its name in a channel
};

}  // namespace

adapter::Factory sharded(redis::Redis& redis, const ShardedSettings& settings, Tally tally) {
  return [&redis, settings, tally = std::move(tally)](adapter::Host& host) {
    return std::make_unique<Sharded>(host, redis, settings, tally);
  };
}

}  // namespace limpet::cluster
