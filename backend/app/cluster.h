// Cluster: what a node has with others through Redis: the link, the adapter that joins them, presence, and
// how many they are. Owned by the Node, outlives its Socket.IO server; the loop's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "backend/adapter/adapter.h"
#include "backend/cluster/cluster.h"
#include "backend/presence/presence.h"
#include "backend/redis/redis.h"
#include "backend/socketio/namespace.h"
#include "proxy/net/loop.h"

namespace limpet::app {

using OnEvent = std::function<void(bool bad, std::string_view what)>;  // for a log; `bad`: a warning

struct ClusterSettings {
  redis::Settings redis;
  using Join = std::function<adapter::Factory(redis::Redis&, const cluster::Tally&,
                                              std::function<void(std::string_view)> warn)>;
  Join join;  // unset: nodes are not joined
  std::optional<presence::NameSettings> presence;
  bool strict_health = false;
};

class Cluster {
 public:
  Cluster(net::Loop& loop, const ClusterSettings& settings, const std::string& node_id, OnEvent on_event);

  ~Cluster();
  Cluster(const Cluster&) = delete;

  const adapter::Factory& adapter() const { return adapter_; }  // empty: the in-memory one
  presence::Presence* presence() const { return presence_.get(); }
  void start(socketio::Namespace& counted);  // whose nodes are counted; it outlives the link's start, not us
  void stop_counting();                      // before that namespace ends
  // Takes the node's users out of Redis, and waits for what is on its way there. `done` once, after
  // `within_ms` at the latest.
  void leave(std::uint64_t within_ms, std::function<void()> done);

  const redis::Redis& redis() const { return redis_; }
  const cluster::Totals& totals() const { return *tally_; }
  std::size_t nodes() const { return nodes_; }  // as last counted; 0: not known

 private:
  void on_link(bool up);
  void on_count();
  void wait_for_answers();
  void left();

  redis::Redis redis_;
  cluster::Tally tally_ = std::make_shared<cluster::Totals>();
  adapter::Factory adapter_;
  std::unique_ptr<presence::Presence> presence_;
  net::Timer count_, patience_;
  socketio::Namespace* counted_ = nullptr;
  std::size_t nodes_ = 0;
  std::function<void()> on_left_;
  std::shared_ptr<Cluster*> self_ = std::make_shared<Cluster*>(this);  // answers may come later
};

}  // namespace limpet::app
