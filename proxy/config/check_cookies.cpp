// Cookies of two pools that would overwrite each other.
#include <algorithm>

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

// A browser sends and overwrites a cookie by name, domain and path: two pools collide where one host can be
// answered by both and the cookies' paths overlap.
bool cookies_collide(const Draft& draft, const Pool& a, const Pool& b) {
  const bool paths = under(a.cookie.path, b.cookie.path) || under(b.cookie.path, a.cookie.path);
  if (a.cookie.name != b.cookie.name || !paths) return false;
  const auto routes_to = [&](const Pool& pool) {
    std::vector<const Route*> all;
    for (std::size_t i = 0; i < draft.routes.size(); ++i) {
      const Route& route = draft.config.routes[i];
      if (route.pool == pool.name && draft.routes[i].sound) all.push_back(&route);
    }
    return all;
  };
  for (const Route* x : routes_to(a)) {
    for (const Route* y : routes_to(b)) {
      if (share_a_host(*x, *y) || domains_meet(*x, b) || domains_meet(*y, a)) return true;
    }
  }
  return false;
}

}  // namespace

void check_cookies(const Draft& draft, Findings& findings) {
  const auto& pools = draft.config.pools;
  for (std::size_t i = 0; i < pools.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const bool both = pools[i].uses(AffinityKind::cookie) && pools[j].uses(AffinityKind::cookie);
      if (!both || !cookies_collide(draft, pools[i], pools[j])) continue;
      findings.problem(draft.pools[i].cookie,
                       "pool." + pools[i].name + ".cookie: the cookie " + quoted(pools[i].cookie.name) +
                           " would overwrite that of pool." + pools[j].name + " (line " +
                           std::to_string(draft.pools[j].cookie.line) +
                           "): one host can be answered by both; give one of them another name or path");
    }
  }
}

}  // namespace limpet::config
