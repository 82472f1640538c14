#include "proxy/config/snapshot.h"

#include <unordered_map>
#include <unordered_set>

namespace limpet::config {
namespace {

routing::Affinity to_routing(AffinityKind kind) {
  switch (kind) {
    case AffinityKind::sid: return routing::Affinity::sid;
    case AffinityKind::cookie: return routing::Affinity::cookie;
    case AffinityKind::source: break;
  }
  return routing::Affinity::source;
}

routing::Balance to_routing(Balance balance) {
  switch (balance) {
    case Balance::least_connections: return routing::Balance::least_connections;
    case Balance::round_robin: return routing::Balance::round_robin;
    case Balance::random_two: return routing::Balance::random_two;
    case Balance::source: break;
  }
  return routing::Balance::source;
}

routing::PoolSettings settings_of(const Config& config, const Pool& pool) {
  routing::PoolSettings settings;
  settings.name = pool.name;
  settings.seed = routing::seed_of(config.proxy.hash_seed.value_or(pool.name));
  settings.affinity.clear();
  for (const AffinityKind kind : pool.affinity) settings.affinity.push_back(to_routing(kind));
  settings.balance = to_routing(pool.balance);
  settings.bounded_load = pool.bounded_load;
  settings.strict = pool.on_lost == OnLost::strict;
  settings.cookie_may_be_sid = pool.cookie.mode == CookieMode::passive;
  settings.max_connections = pool.max_connections;
  settings.slow_start_ms = ms(pool.health.slow_start);
  return settings;
}

std::shared_ptr<net::Target> fresh_target(const Endpoint& address) {
  auto target = std::make_shared<net::Target>();
  if (address.kind == Endpoint::Kind::unix_socket) {
    if (const auto path = net::Address::unix_socket(address.path)) target->publish({*path});
  } else if (const auto ip = wire::IpAddress::parse(address.host)) {
    target->publish({net::Address::ip(*ip, address.port)});
  }
  return target;
}

using Gone = std::vector<std::weak_ptr<routing::Server>>;

std::shared_ptr<routing::Server> find_gone(const Gone& gone, std::string_view id) {
  for (const auto& each : gone) {
    if (auto server = each.lock(); server && server->id == id) return server;
  }
  return nullptr;
}

class PoolBuilder {
 public:
  PoolBuilder(const Pool& pool, const PoolEntry* before) : pool_(pool), before_(before) {}

  void add_servers(const MayMove& may_move);
  void add_leaving(const IsGone& is_gone);
  std::unique_ptr<PoolEntry> finish(const Config& config);

 private:
  std::shared_ptr<routing::Server> server_of(const std::string& id, const routing::Member* known) const;
  std::shared_ptr<net::Target> new_target(const routing::Server& server, const Endpoint& address) const;
  void add(routing::Member member, const Endpoint& address, std::shared_ptr<net::Target> target);

  const Pool& pool_;
  const PoolEntry* const before_;
  std::vector<routing::Member> members_;
  std::vector<Endpoint> addresses_;
  std::vector<std::shared_ptr<net::Target>> targets_;
  std::vector<Move> moving_;
  Gone gone_;
};

// Who comes back is who it was, whatever was wanted of it then.
std::shared_ptr<routing::Server> PoolBuilder::server_of(const std::string& id,
                                                        const routing::Member* known) const {
  auto server = known ? known->server : before_ ? find_gone(before_->gone, id) : nullptr;
  if (!server) return std::make_shared<routing::Server>(pool_.name, id);
  auto leaving = routing::Wanted::leaving;
  server->view.wanted.compare_exchange_strong(leaving, routing::Wanted::serving, std::memory_order_relaxed);
  return server;
}

void PoolBuilder::add(routing::Member member, const Endpoint& address, std::shared_ptr<net::Target> target) {
  members_.push_back(std::move(member));
  addresses_.push_back(address);
  targets_.push_back(std::move(target));
}

// The one that it is on its way to already, if that is the same.
std::shared_ptr<net::Target> PoolBuilder::new_target(const routing::Server& server,
                                                     const Endpoint& address) const {
  if (before_ != nullptr) {
    for (const Move& each : before_->moving) {
      if (each.server.get() == &server && each.address == address) return each.target;
    }
  }
  return fresh_target(address);
}

void PoolBuilder::add_servers(const MayMove& may_move) {
  for (const Server& each : pool_.servers) {
    const routing::Member* known = before_ ? before_->routing.by_id(each.id) : nullptr;
    const Endpoint* const was = known ? &before_->addresses[before_->index_of(*known)] : nullptr;
    routing::Member member{server_of(each.id, known), each.weight, each.max_connections, each.backup};
    if (was != nullptr && *was == each.address) {
      add(std::move(member), *was, before_->target_of(*known));
      continue;
    }
    auto target = new_target(*member.server, each.address);
    if (was != nullptr && may_move && !may_move(*member.server, *target)) {
      moving_.push_back({member.server, each.address, std::move(target)});
      add(std::move(member), *was, before_->target_of(*known));
    } else {
      add(std::move(member), each.address, std::move(target));
    }
  }
}

void PoolBuilder::add_leaving(const IsGone& is_gone) {
  if (before_ == nullptr) return;
  std::unordered_set<const routing::Server*> stay;
  for (const routing::Member& each : members_) stay.insert(each.server.get());
  for (const auto& each : before_->gone) {
    if (const auto server = each.lock(); server && !stay.contains(server.get())) gone_.push_back(each);
  }
  for (const routing::Member& each : before_->routing.members()) {
    if (stay.contains(each.server.get())) continue;
    const auto wanted =
        each.server->view.wanted.exchange(routing::Wanted::leaving, std::memory_order_relaxed);
    if (is_gone && is_gone(*each.server)) {
      gone_.push_back(each.server);
      continue;
    }
    // Whom an operator has drained, nobody needs.
    const std::uint32_t weight = wanted == routing::Wanted::serving   ? each.weight
                                 : wanted == routing::Wanted::leaving ? each.leaving_weight
                                                                      : 0;
    add({each.server, 0, each.max_connections, each.backup, weight},
        before_->addresses[before_->index_of(each)], before_->target_of(each));
  }
}

std::unique_ptr<PoolEntry> PoolBuilder::finish(const Config& config) {
  return std::unique_ptr<PoolEntry>(new PoolEntry{
      pool_, routing::Pool(settings_of(config, pool_), std::move(members_)), std::move(addresses_),
      std::move(targets_), before_ ? before_->shared : std::make_shared<PoolShared>(), std::move(gone_),
      std::move(moving_)});
}

routing::RouteTable build_routes(const Config& config) {
  std::unordered_map<std::string_view, std::uint32_t> pools;
  for (const Pool& pool : config.pools) pools.emplace(pool.name, static_cast<std::uint32_t>(pools.size()));
  std::vector<routing::RouteRule> rules;
  for (const Route& route : config.routes) rules.push_back({route.hosts, route.path, pools.at(route.pool)});
  return routing::RouteTable(rules);
}

}  // namespace

std::shared_ptr<const Snapshot> build_snapshot(std::shared_ptr<const Config> config, const Snapshot* previous,
                                               const IsGone& is_gone, const MayMove& may_move) {
  std::unordered_map<std::string_view, const PoolEntry*> before;
  if (previous != nullptr) {
    for (const auto& entry : previous->pools) before.emplace(entry->settings.name, entry.get());
  }
  std::vector<std::unique_ptr<PoolEntry>> pools;
  for (const Pool& pool : config->pools) {
    const auto known = before.find(pool.name);
    PoolBuilder builder(pool, known == before.end() ? nullptr : known->second);
    builder.add_servers(may_move);
    builder.add_leaving(is_gone);
    pools.push_back(builder.finish(*config));
  }
  routing::RouteTable routes = build_routes(*config);
  return std::make_shared<const Snapshot>(Snapshot{std::move(config), std::move(pools), std::move(routes)});
}

}  // namespace limpet::config
