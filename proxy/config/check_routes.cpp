// Routes: each to a pool that is there, no two for the same host and path, none forgotten.
#include <algorithm>

#include "proxy/config/checks.h"

namespace limpet::config {
namespace {

std::string route_name(std::size_t index) {
  return "route[" + std::to_string(index) + "]";
}

std::vector<std::string_view> pool_names(const Config& config) {
  std::vector<std::string_view> names;
  for (const Pool& pool : config.pools) names.push_back(pool.name);
  return names;
}

std::string listed(const std::vector<std::string_view>& names) {
  std::string list;
  for (const std::string_view each : names) list += (list.empty() ? "" : ", ") + quoted(each);
  return list;
}

// A file without a route means its one pool.
void settle_no_route(Draft& draft, Findings& findings) {
  if (!draft.all_routes_known) return;
  std::vector<Place> places;
  for (const PoolPlaces& each : draft.pools) places.push_back(each.pool);
  if (places.size() == 1) draft.config.routes.push_back({{}, "/", draft.config.pools[0].name});
  if (places.size() < 2) return;
  std::sort(places.begin(), places.end(),
            [](Place a, Place b) { return std::pair(a.line, a.column) < std::pair(b.line, b.column); });
  findings.problem(places[1],
                   "there are several pools and no route; add [[route]] with hosts, path and pool");
}

// False if it cannot be said where the route leads.
bool settle_pool(Draft& draft, std::size_t index, Findings& findings) {
  Route& route = draft.config.routes[index];
  const RoutePlaces& places = draft.routes[index];
  const auto names = pool_names(draft.config);
  const std::string path = route_name(index) + ".pool: ";
  if (!places.pool) {
    if (names.size() == 1) {
      route.pool = names[0];
      return true;
    }
    if (names.size() > 1)
      findings.problem(places.table, path + "missing, and there are several pools: " + listed(names));
    return false;
  }
  if (route.pool.empty()) return false;  // said already
  if (std::find(names.begin(), names.end(), route.pool) != names.end()) return true;
  if (!draft.all_pools_known || names.empty()) return false;  // perhaps it is one of those that are wrong
  const std::string_view near = nearest(route.pool, names);
  findings.problem(*places.pool, path + "there is no pool " + quoted(route.pool) +
                                     (near.empty() ? "; there are " + listed(names)
                                                   : " (did you mean " + quoted(near) + "?)"));
  return false;
}

bool same_target(const Route& a, const Route& b) {
  if (a.path != b.path) return false;
  if (a.hosts.empty() || b.hosts.empty()) return a.hosts.empty() && b.hosts.empty();
  return std::any_of(a.hosts.begin(), a.hosts.end(), [&](const std::string& host) {
    return std::find(b.hosts.begin(), b.hosts.end(), host) != b.hosts.end();
  });
}

void check_twins(const Draft& draft, Findings& findings) {
  const auto& routes = draft.config.routes;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const bool sound = draft.routes[i].sound && draft.routes[j].sound;
      if (!sound || !same_target(routes[i], routes[j])) continue;
      findings.problem(draft.routes[i].table, route_name(i) + ": the route in line " +
                                                  std::to_string(draft.routes[j].table.line) +
                                                  " has the same host and path; give one of them another");
      break;
    }
  }
}

void warn_of_unused(const Draft& draft, Findings& findings) {
  const auto& [config, pools] = std::tie(draft.config, draft.pools);
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const std::string& name = config.pools[i].name;
    const bool used = std::any_of(config.routes.begin(), config.routes.end(),
                                  [&](const Route& route) { return route.pool == name; });
    if (!used) findings.warning(pools[i].pool, "pool." + name + ": no route leads to it");
  }
}

}  // namespace

void check_routes(Draft& draft, Findings& findings) {
  if (draft.config.routes.empty()) return settle_no_route(draft, findings);
  bool all_lead = draft.all_routes_known;
  for (std::size_t i = 0; i < draft.config.routes.size(); ++i) {
    if (!settle_pool(draft, i, findings)) all_lead = false;
  }
  check_twins(draft, findings);
  if (all_lead) warn_of_unused(draft, findings);  // else one of them may have meant it
}

}  // namespace limpet::config
