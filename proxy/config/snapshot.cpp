#include "proxy/config/snapshot.h"

#include <unordered_map>

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

std::unique_ptr<PoolEntry> build_pool(const Config& config, const Pool& pool, const PoolEntry* before) {
  std::vector<routing::Member> members;
  std::vector<std::shared_ptr<net::Target>> targets;
  for (const Server& each : pool.servers) {
    const routing::Member* known = before ? before->routing.by_id(each.id) : nullptr;
    // Members stand in the order of the settings' servers.
    const bool same_place =
        known != nullptr && before->settings.servers[before->index_of(*known)].address == each.address;
    members.push_back({known ? known->server : std::make_shared<routing::Server>(pool.name, each.id),
                       each.weight, each.max_connections, each.backup});
    targets.push_back(same_place ? before->target_of(*known) : fresh_target(each.address));
  }
  return std::unique_ptr<PoolEntry>(
      new PoolEntry{pool, routing::Pool(settings_of(config, pool), std::move(members)), std::move(targets),
                    before ? before->shared : std::make_shared<PoolShared>()});
}

routing::RouteTable build_routes(const Config& config) {
  std::unordered_map<std::string_view, std::uint32_t> pools;
  for (const Pool& pool : config.pools) pools.emplace(pool.name, static_cast<std::uint32_t>(pools.size()));
  std::vector<routing::RouteRule> rules;
  for (const Route& route : config.routes) rules.push_back({route.hosts, route.path, pools.at(route.pool)});
  return routing::RouteTable(rules);
}

}  // namespace

std::shared_ptr<const Snapshot> build_snapshot(std::shared_ptr<const Config> config,
                                               const Snapshot* previous) {
  std::unordered_map<std::string_view, const PoolEntry*> before;
  if (previous != nullptr) {
    for (const auto& entry : previous->pools) before.emplace(entry->settings.name, entry.get());
  }
  std::vector<std::unique_ptr<PoolEntry>> pools;
  for (const Pool& pool : config->pools) {
    const auto known = before.find(pool.name);
    pools.push_back(build_pool(*config, pool, known == before.end() ? nullptr : known->second));
  }
  routing::RouteTable routes = build_routes(*config);
  return std::make_shared<const Snapshot>(Snapshot{std::move(config), std::move(pools), std::move(routes)});
}

}  // namespace limpet::config
