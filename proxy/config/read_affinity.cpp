// What holds a session on its server, and who places those that nothing holds.
#include <algorithm>

#include "proxy/config/read.h"

namespace limpet::config {
namespace {

constexpr std::pair<std::string_view, AffinityKind> kAffinity[] = {
    {"sid", AffinityKind::sid}, {"cookie", AffinityKind::cookie}, {"source", AffinityKind::source}};
constexpr std::pair<std::string_view, Balance> kBalance[] = {
    {"source", Balance::source},
    {"least_connections", Balance::least_connections},
    {"round_robin", Balance::round_robin},
    {"random_two", Balance::random_two}};

void read_bounded_load(TableReader& r, Pool& pool) {
  const toml::node* node = r.find("bounded_load");
  if (node == nullptr) return;
  if (const auto* text = node->as_string()) {
    if (text->get() == "off") return pool.bounded_load.reset();
    return r.wrong("bounded_load", *node,
                   quoted(text->get()) + " is not accepted; write a number from 1 to 10, or \"off\"");
  }
  double factor = *pool.bounded_load;
  r.number("bounded_load", factor, 1.0, 10.0);
  pool.bounded_load = factor;
}

// What contradicts a written list is an error; the default list just lacks it.
void leave_out(AffinityKind kind, const std::string& why, TableReader& r, Pool& pool,
               const PoolPlaces& places, Findings& findings) {
  const auto found = std::find(pool.affinity.begin(), pool.affinity.end(), kind);
  if (found == pool.affinity.end()) return;
  if (!places.affinity_written) {
    pool.affinity.erase(found);
    return;
  }
  const auto index = static_cast<std::size_t>(found - pool.affinity.begin());
  findings.problem(places.affinity[index], r.name("affinity") + ": " + why);
}

}  // namespace

void read_affinity(TableReader& r, Pool& pool, PoolPlaces& places, Findings& findings) {
  r.choice<Balance>("balance", pool.balance, kBalance);
  read_bounded_load(r, pool);
  places.affinity_written = r.has("affinity");
  if (!places.affinity_written) {
    pool.affinity = {AffinityKind::sid, AffinityKind::cookie};
    if (pool.balance == Balance::source) pool.affinity.push_back(AffinityKind::source);
    return;
  }
  const std::size_t before = findings.problems.size();
  r.strings("affinity", [&](std::string_view text, const toml::node& node) {
    const auto* known = std::find_if(std::begin(kAffinity), std::end(kAffinity),
                                     [text](const auto& each) { return each.first == text; });
    if (known == std::end(kAffinity)) {
      return r.wrong("affinity", node,
                     quoted(text) + " is not accepted; write \"sid\", \"cookie\" or \"source\"");
    }
    if (pool.uses(known->second))
      return r.wrong("affinity", node, quoted(text) + " stands there twice; leave one out");
    pool.affinity.push_back(known->second);
    places.affinity.push_back(place_of(node));
  });
  places.affinity_sound = findings.problems.size() == before;
}

void settle_affinity(TableReader& r, Pool& pool, const PoolPlaces& places, Findings& findings) {
  if (!pool.engineio) {
    const auto sid = std::find(pool.affinity.begin(), pool.affinity.end(), AffinityKind::sid);
    if (sid != pool.affinity.end()) {
      if (places.affinity_written) {
        findings.warning(places.affinity[static_cast<std::size_t>(sid - pool.affinity.begin())],
                         r.name("affinity") + ": \"sid\" has no effect with engineio = false; leave it out");
      }
      pool.affinity.erase(sid);
    }
  }
  if (pool.balance != Balance::source) {
    leave_out(AffinityKind::source,
              "\"source\" holds every client that has an address, so that balance would have nothing to do; "
              "leave \"source\" or balance out",
              r, pool, places, findings);
  }
  if (pool.cookie.mode == CookieMode::off) {
    leave_out(
        AffinityKind::cookie,
        "\"cookie\" needs a cookie, but [" + r.name("cookie") + "] has mode = \"off\"; leave one of them out",
        r, pool, places, findings);
  } else if (places.cookie_written && places.affinity_sound && !pool.uses(AffinityKind::cookie)) {
    findings.warning(places.cookie,
                     r.name("cookie") +
                         ": has no effect, as affinity does not name \"cookie\"; add it there, "
                         "or leave this table out");
  }
}

}  // namespace limpet::config
