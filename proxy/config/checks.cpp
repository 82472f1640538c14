// What is wrong between tables: each says something sound, together they do not.
#include <algorithm>
#include <map>

#include "proxy/config/read.h"
#include "routing/server.h"

namespace limpet::config {
namespace {

void check_presence(const Draft& draft, Findings& findings) {
  if (draft.bundle) return;
  const auto none_reported = [&](std::string_view word) {
    return std::none_of(findings.problems.begin(), findings.problems.end(),
                        [&](const Problem& each) { return each.message.starts_with(word); });
  };
  if (draft.config.listeners.empty() && none_reported("listener")) {
    findings.problem({}, "there is no listener; add [[listener]] with address = \"0.0.0.0:80\"");
  }
  if (draft.config.pools.empty() && none_reported("pool")) {
    findings.problem({}, "there is no pool; add [pool.ws] with servers = [\"ws1=10.0.1.1:3000\"]");
  }
}

void check_listeners(const Draft& draft, Findings& findings) {
  const auto& all = draft.config.listeners;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const bool same =
          all[i].address == all[j].address && (all[i].address.port != 0 || !all[i].address.path.empty());
      if (!same) continue;
      findings.problem(draft.listeners[i], "listener[" + std::to_string(i) +
                                               "].address: " + quoted(all[i].address.text()) +
                                               " is the address of the listener in line " +
                                               std::to_string(draft.listeners[j].line));
    }
  }
}

void check_servers(const Pool& pool, const PoolPlaces& places, Findings& findings) {
  std::map<std::string, std::size_t> by_id, by_tag, by_address;
  const std::string path = "pool." + pool.name + ".servers: ";
  for (std::size_t i = 0; i < pool.servers.size(); ++i) {
    const Server& server = pool.servers[i];
    const Place at = places.servers[i];
    const auto [id, fresh] = by_id.emplace(server.id, i);
    if (!fresh) {
      findings.problem(at, path + "there is a server " + quoted(server.id) + " already, in line " +
                               std::to_string(places.servers[id->second].line));
      continue;
    }
    const auto [tag, own] = by_tag.emplace(routing::server_tag(server.id), i);
    if (!own) {
      findings.problem(at, path + quoted(server.id) + " and " + quoted(pool.servers[tag->second].id) +
                               " have the same tag in self-naming sids; give one of them another id");
    }
    const auto [address, first] = by_address.emplace(server.address.text(), i);
    if (!first) {
      findings.warning(at, path + quoted(server.id) + " and " + quoted(pool.servers[address->second].id) +
                               " have the same address");
    }
  }
  const auto all = [&](auto what) {
    return !pool.servers.empty() && std::all_of(pool.servers.begin(), pool.servers.end(), what);
  };
  if (all([](const Server& s) { return s.weight == 0; })) {
    findings.problem(places.pool, path + "every weight is 0, so that no session could begin");
  }
  if (all([](const Server& s) { return s.backup; })) {
    findings.problem(places.pool, path + "every server is a backup; of what?");
  }
}

// A source address serves servers of its own family; names may turn out to be either.
void check_sources(const Pool& pool, const PoolPlaces& places, Findings& findings) {
  for (const wire::IpAddress& source : pool.source_addresses) {
    const bool useful = std::any_of(pool.servers.begin(), pool.servers.end(), [&](const Server& server) {
      if (server.address.kind == Endpoint::Kind::name) return true;
      const auto ip = wire::IpAddress::parse(server.address.host);
      return ip && ip->is_v4() == source.is_v4();
    });
    if (useful || pool.servers.empty()) continue;
    findings.problem(places.pool, "pool." + pool.name + ".source_addresses: " + quoted(source.text()) +
                                      " is of no use: no server has an address of its family");
  }
}

void check_routes(Draft& draft, Findings& findings) {
  Config& config = draft.config;
  std::vector<std::string_view> names;
  for (const Pool& pool : config.pools) names.push_back(pool.name);
  if (config.routes.empty()) {
    if (names.size() == 1) config.routes.push_back({{}, "/", std::string(names[0])});
    if (names.size() > 1) {
      findings.problem({}, "there are several pools and no route; add [[route]] with hosts, path and pool");
    }
    return;
  }
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    Route& route = config.routes[i];
    const std::string path = "route[" + std::to_string(i) + "].pool: ";
    if (!draft.route_has_pool[i]) {
      if (names.size() == 1) {
        route.pool = names[0];
      } else if (names.size() > 1) {
        findings.problem(draft.routes[i], path + "missing, and there are several pools");
      }
    } else if (!route.pool.empty() && std::find(names.begin(), names.end(), route.pool) == names.end()) {
      const std::string_view near = nearest(route.pool, names);
      findings.problem(draft.routes[i], path + "there is no pool " + quoted(route.pool) +
                                            (near.empty() ? "" : " (did you mean " + quoted(near) + "?)"));
    }
    for (std::size_t j = 0; j < i; ++j) {
      const Route& other = config.routes[j];
      const bool same_host =
          (route.hosts.empty() && other.hosts.empty()) ||
          std::any_of(route.hosts.begin(), route.hosts.end(), [&](const std::string& host) {
            return std::find(other.hosts.begin(), other.hosts.end(), host) != other.hosts.end();
          });
      if (!same_host || route.path != other.path) continue;
      findings.problem(draft.routes[i], "route[" + std::to_string(i) + "]: the route in line " +
                                            std::to_string(draft.routes[j].line) +
                                            " has the same host and path");
    }
  }
  for (std::size_t i = 0; i < config.pools.size(); ++i) {
    const bool used = std::any_of(config.routes.begin(), config.routes.end(),
                                  [&](const Route& route) { return route.pool == config.pools[i].name; });
    if (!used)
      findings.warning(draft.pools[i].pool, "pool." + config.pools[i].name + ": no route leads to it");
  }
}

// --- cookies of two pools that would overwrite each other ---

bool host_matches(const std::string& pattern, const std::string& host) {
  if (pattern.starts_with("*.")) {
    const std::string_view suffix = std::string_view(pattern).substr(1);
    return (host.size() > suffix.size() && host.ends_with(suffix)) || host == pattern;
  }
  return pattern == host;
}

bool share_a_host(const Route& a, const Route& b) {
  if (a.hosts.empty() || b.hosts.empty()) return true;
  for (const std::string& x : a.hosts) {
    for (const std::string& y : b.hosts) {
      if (host_matches(x, y) || host_matches(y, x)) return true;
    }
  }
  return false;
}

bool under(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  return prefix.ends_with('/') || path.size() == prefix.size() || path[prefix.size()] == '/';
}

// Hosts that share a cookie's domain share the cookie, whatever their routes say.
bool domains_meet(const Route& route, const Pool& other) {
  if (!other.cookie.domain) return false;
  const std::string suffix = "." + *other.cookie.domain;
  return route.hosts.empty() ||
         std::any_of(route.hosts.begin(), route.hosts.end(), [&](const std::string& host) {
           return host == *other.cookie.domain || host.ends_with(suffix);
         });
}

// A browser sends and overwrites a cookie by name, domain and path: two pools collide where one host can be
// answered by both and the cookies' paths overlap.
bool cookies_collide(const Config& config, const Pool& a, const Pool& b) {
  const bool paths = under(a.cookie.path, b.cookie.path) || under(b.cookie.path, a.cookie.path);
  if (a.cookie.name != b.cookie.name || !paths) return false;
  for (const Route& x : config.routes) {
    if (x.pool != a.name) continue;
    for (const Route& y : config.routes) {
      if (y.pool != b.name) continue;
      if (share_a_host(x, y) || domains_meet(x, b) || domains_meet(y, a)) return true;
    }
  }
  return false;
}

void check_cookies(const Draft& draft, Findings& findings) {
  const auto& pools = draft.config.pools;
  for (std::size_t i = 0; i < pools.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const bool both = pools[i].uses(AffinityKind::cookie) && pools[j].uses(AffinityKind::cookie);
      if (!both || !cookies_collide(draft.config, pools[i], pools[j])) continue;
      findings.problem(draft.pools[i].cookie,
                       "pool." + pools[i].name + ".cookie: the cookie " + quoted(pools[i].cookie.name) +
                           " would overwrite that of pool." + pools[j].name + " (line " +
                           std::to_string(draft.pools[j].cookie.line) +
                           "): one host can be answered by both; give one of them another name or path");
    }
  }
}

}  // namespace

void check_document(Draft& draft, Findings& findings) {
  check_presence(draft, findings);
  check_listeners(draft, findings);
  for (std::size_t i = 0; i < draft.config.pools.size(); ++i) {
    check_servers(draft.config.pools[i], draft.pools[i], findings);
    check_sources(draft.config.pools[i], draft.pools[i], findings);
  }
  check_routes(draft, findings);
  check_cookies(draft, findings);
}

}  // namespace limpet::config
