// Snapshot: one generation of the configuration in the shape that workers use. Immutable and shared; what
// changes while it lives (states, loads, addresses) belongs to the servers, which outlive it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/net/target.h"
#include "routing/pool.h"
#include "routing/retry_budget.h"
#include "routing/route_table.h"

namespace limpet::config {

// What a pool's workers share beside its servers; kept across snapshots.
struct PoolShared {
  routing::RetryBudget budget;
  // pingInterval + pingTimeout of the last session that was opened: for sids that are in no table. 0: none
  // seen.
  std::atomic<std::uint32_t> session_life_ms{0};
  std::atomic<bool> cookie_warned{false};  // a server's own cookie was replaced
  std::atomic<bool> tag_warned{false};     // a server's sids name another
};

// A server whose address has changed and that is not there yet: where it goes to.
struct Move {
  std::shared_ptr<routing::Server> server;
  Endpoint address;
  std::shared_ptr<net::Target> target;
};

struct PoolEntry {
  const Pool& settings;
  routing::Pool routing;  // the settings' servers, in their order, then those that leave, with no weight
  std::vector<Endpoint> addresses;                    // by index in routing.members()
  std::vector<std::shared_ptr<net::Target>> targets;  // likewise
  std::shared_ptr<PoolShared> shared;
  std::vector<std::weak_ptr<routing::Server>> gone;  // and still held by tunnels: an id may come back
  std::vector<Move> moving;  // members whose address and target are still the old ones
  std::span<const routing::Member> leaving() const {
    return std::span(routing.members()).subspan(settings.servers.size());
  }
  std::size_t index_of(const routing::Member& member) const {
    return static_cast<std::size_t>(&member - routing.members().data());
  }
  const std::shared_ptr<net::Target>& target_of(const routing::Member& member) const {
    return targets[index_of(member)];
  }
};

struct Snapshot {
  std::shared_ptr<const Config> config;
  std::vector<std::unique_ptr<PoolEntry>> pools;  // as in config->pools
  routing::RouteTable routes;                     // to an index into pools
};

// Servers, targets and shared parts of `previous` (may be null) are kept where pool and id are the same.
// Servers that are in `previous` alone leave (Wanted::leaving is set, and taken back from who returns), until
// `is_gone` says so of them. One whose address has changed keeps the old one until `may_move` says that it
// may be at the new; unset: at once. Targets with literal addresses are filled; those with names are health's
// to fill.
using IsGone = std::function<bool(const routing::Server&)>;
using MayMove = std::function<bool(const routing::Server&, const net::Target& to)>;
std::shared_ptr<const Snapshot> build_snapshot(std::shared_ptr<const Config> config, const Snapshot* previous,
                                               const IsGone& is_gone = {}, const MayMove& may_move = {});

}  // namespace limpet::config
