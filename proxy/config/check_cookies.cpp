// Cookies of two pools that would overwrite each other.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "proxy/config/checks.h"

namespace limpet::config {
namespace {

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

using Routes = std::vector<const Route*>;

// A browser sends and overwrites a cookie by name, domain and path: two pools collide where one host can be
// answered by both and the cookies' paths overlap.
bool cookies_collide(const Pool& a, const Routes& to_a, const Pool& b, const Routes& to_b) {
  const bool paths = under(a.cookie.path, b.cookie.path) || under(b.cookie.path, a.cookie.path);
  if (a.cookie.name != b.cookie.name || !paths) return false;
  for (const Route* x : to_a) {
    for (const Route* y : to_b) {
      if (share_a_host(*x, *y) || domains_meet(*x, b) || domains_meet(*y, a)) return true;
    }
  }
  return false;
}

// Pools by what they answer, so that ten thousand of them need not be compared each with each.
class Neighbours {
 public:
  void add(std::size_t index, const Pool& pool, const Routes& routes) {
    const std::string& name = pool.cookie.name;
    all_[name].push_back(index);
    if (pool.cookie.domain) reaches_[key(name, *pool.cookie.domain)].push_back(index);
    for (const Route* route : routes) {
      if (route->hosts.empty()) everywhere_[name].push_back(index);
      for (const std::string& host : route->hosts) {
        if (host.starts_with("*.")) reaches_[key(name, host.substr(2))].push_back(index);
        each_suffix(host, [&](std::string_view s) { stands_under_[key(name, s)].push_back(index); });
      }
    }
  }

  // All that the pool can collide with, and others.
  std::set<std::size_t> of(const Pool& pool, const Routes& routes) const {
    const std::string& name = pool.cookie.name;
    std::set<std::size_t> found;
    gather(everywhere_, name, found);
    if (pool.cookie.domain) gather(stands_under_, key(name, *pool.cookie.domain), found);
    for (const Route* route : routes) {
      if (route->hosts.empty()) gather(all_, name, found);
      for (const std::string& host : route->hosts) {
        gather(stands_under_, key(name, host.starts_with("*.") ? host.substr(2) : host), found);
        each_suffix(host, [&](std::string_view s) { gather(reaches_, key(name, s), found); });
      }
    }
    return found;
  }

 private:
  using Table = std::unordered_map<std::string, std::vector<std::size_t>>;
  static std::string key(std::string_view name, std::string_view host) {
    return std::string(name).append(" ").append(host);
  }
  static void gather(const Table& from, const std::string& key, std::set<std::size_t>& into) {
    const auto found = from.find(key);
    if (found != from.end()) into.insert(found->second.begin(), found->second.end());
  }
  template <class Step>
  static void each_suffix(std::string_view host, Step step) {  // "a.b.c", "b.c", "c"
    for (step(host); host.find('.') != host.npos; step(host)) host.remove_prefix(host.find('.') + 1);
  }

  Table all_, everywhere_;  // by the cookie's name
  Table stands_under_;      // by name and a host's suffix
  Table reaches_;           // by name and what a wildcard or a domain holds
};

// Of a file with a [bundle] of other programs and no [pool.nodes].
Pool bundles_pool() {
  Pool pool;
  pool.name = Bundle::kPool;
  pool.affinity = {AffinityKind::sid, AffinityKind::cookie};
  return pool;
}

}  // namespace

// Of each pool the first that it collides with.
void check_cookies(const Draft& draft, Findings& findings) {
  std::vector<const Pool*> pools;
  std::vector<Place> places;
  for (std::size_t i = 0; i < draft.config.pools.size(); ++i) {
    pools.push_back(&draft.config.pools[i]);
    places.push_back(draft.pools[i].cookie);
  }
  const Pool unwritten = bundles_pool();
  const auto& bundle = draft.config.bundle;
  if (bundle && !bundle->command.empty() && !draft.config.find_pool(Bundle::kPool)) {
    pools.push_back(&unwritten);
    places.push_back(*draft.bundle);
  }
  std::unordered_map<std::string_view, Routes> routes;
  for (std::size_t i = 0; i < draft.routes.size(); ++i) {
    if (draft.routes[i].sound) routes[draft.config.routes[i].pool].push_back(&draft.config.routes[i]);
  }
  Neighbours earlier;
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const Pool& pool = *pools[i];
    if (!pool.uses(AffinityKind::cookie)) continue;
    const Routes& own = routes[pool.name];
    for (const std::size_t j : earlier.of(pool, own)) {
      if (!cookies_collide(pool, own, *pools[j], routes[pools[j]->name])) continue;
      findings.problem(places[i],
                       "pool." + pool.name + ".cookie: the cookie " + quoted(pool.cookie.name) +
                           " would overwrite that of pool." + pools[j]->name + " (line " +
                           std::to_string(places[j].line) +
                           "): one host can be answered by both; give one of them another name or path");
      break;
    }
    earlier.add(i, pool, own);
  }
}

}  // namespace limpet::config
