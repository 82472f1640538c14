// Routes: each to a pool that is there, no two for the same host and path, none forgotten.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "proxy/config/checks.h"

namespace limpet::config {
namespace {

std::string route_name(std::size_t index) {
  return "route[" + std::to_string(index) + "]";
}

struct PoolNames {
  explicit PoolNames(const Config& config) {
    for (const Pool& pool : config.pools) list.push_back(pool.name);
    if (config.bundle && !config.find_pool(Bundle::kPool)) list.push_back(Bundle::kPool);
    known.insert(list.begin(), list.end());
  }
  std::vector<std::string_view> list;  // in the file's order
  std::unordered_set<std::string_view> known;
};

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
  if (draft.config.bundle && !draft.config.find_pool(Bundle::kPool)) {
    if (places.empty()) return draft.config.routes.push_back({{}, "/", std::string(Bundle::kPool)});
    places.push_back(kWholeFile);
  }
  if (places.size() == 1) draft.config.routes.push_back({{}, "/", draft.config.pools[0].name});
  if (places.size() < 2) return;
  std::sort(places.begin(), places.end(),
            [](Place a, Place b) { return std::pair(a.line, a.column) < std::pair(b.line, b.column); });
  findings.problem(places[1],
                   "there are several pools and no route; add [[route]] with hosts, path and pool");
}

// False if it cannot be said where the route leads.
bool settle_pool(Draft& draft, std::size_t index, const PoolNames& names, Findings& findings) {
  Route& route = draft.config.routes[index];
  const RoutePlaces& places = draft.routes[index];
  const std::string path = route_name(index) + ".pool: ";
  if (!places.pool) {
    if (names.list.size() == 1) {
      route.pool = names.list[0];
      return true;
    }
    if (names.list.size() > 1)
      findings.problem(places.table, path + "missing, and there are several pools: " + listed(names.list));
    return false;
  }
  if (route.pool.empty()) return false;  // said already
  if (names.known.contains(route.pool)) return true;
  if (!draft.all_pools_known || names.list.empty())
    return false;  // perhaps it is one of those that are wrong
  const std::string_view near = nearest(route.pool, names.list);
  findings.problem(*places.pool, path + "there is no pool " + quoted(route.pool) +
                                     (near.empty() ? "; there are " + listed(names.list)
                                                   : " (did you mean " + quoted(near) + "?)"));
  return false;
}

void check_twins(const Draft& draft, Findings& findings) {
  std::unordered_map<std::string, std::size_t> first;  // the first sound route, by host and path
  const auto& routes = draft.config.routes;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (!draft.routes[i].sound) continue;
    std::size_t twin = i;
    const auto enter = [&](const std::string& host) {  // neither has a space in it
      twin = std::min(twin, first.emplace(host + ' ' + routes[i].path, i).first->second);
    };
    if (routes[i].hosts.empty()) enter("");
    for (const std::string& host : routes[i].hosts) enter(host);
    if (twin == i) continue;
    findings.problem(draft.routes[i].table, route_name(i) + ": the route in line " +
                                                std::to_string(draft.routes[twin].table.line) +
                                                " has the same host and path; give one of them another");
  }
}

void warn_of_unused(const Draft& draft, Findings& findings) {
  const auto& [config, pools] = std::tie(draft.config, draft.pools);
  std::unordered_set<std::string_view> used;
  for (const Route& route : config.routes) used.insert(route.pool);
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const std::string& name = config.pools[i].name;
    if (!used.contains(name)) findings.warning(pools[i].pool, "pool." + name + ": no route leads to it");
  }
}

}  // namespace

void check_routes(Draft& draft, Findings& findings) {
  if (draft.config.routes.empty()) return settle_no_route(draft, findings);
  bool all_lead = draft.all_routes_known;
  const PoolNames names(draft.config);
  for (std::size_t i = 0; i < draft.config.routes.size(); ++i) {
    if (!settle_pool(draft, i, names, findings)) all_lead = false;
  }
  check_twins(draft, findings);
  if (all_lead) warn_of_unused(draft, findings);  // else one of them may have meant it
}

}  // namespace limpet::config
