// One pool: its parts, and the keys that are in none.
#include <algorithm>

#include "proxy/config/read.h"

namespace limpet::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::pair<std::string_view, OnLost> kOnLost[] = {{"redispatch", OnLost::redispatch},
                                                           {"strict", OnLost::strict}};

void read_sources(TableReader& r, Pool& pool, PoolPlaces& places) {
  r.strings("source_addresses", [&](std::string_view text, const toml::node& node) {
    const auto wrong = [&](const std::string& why) { r.wrong("source_addresses", node, quoted(text) + why); };
    const std::string forms = "write \"10.0.0.5\" or \"fd00::5\"";
    const auto ip = wire::IpAddress::parse(text);
    if (!ip) return wrong(" is not an address of this machine; " + forms);
    if (is_wildcard(*ip)) return wrong(" stands for any address, which the kernel picks anyway; " + forms);
    if (std::find(pool.source_addresses.begin(), pool.source_addresses.end(), *ip) !=
        pool.source_addresses.end())
      return wrong(" stands there twice; leave one out");
    pool.source_addresses.push_back(*ip);
    places.sources.push_back(place_of(node));
  });
}

void read_timeouts(const toml::table& table, Pool& pool, Findings& findings) {
  TableReader r(findings, table, "pool.NAME.timeouts", "pool." + pool.name + ".timeouts");
  Timeouts& out = pool.timeouts;
  r.duration("connect", out.connect, milliseconds(10), hours(1));
  r.duration("handshake", out.handshake, milliseconds(10), hours(1));
  r.duration("response", out.response, milliseconds(10), hours(24));
  r.duration("tunnel_idle", out.tunnel_idle, seconds(1));
  r.duration("keep_alive", out.keep_alive, seconds(0), hours(1));
  r.refuse_unknown();
}

}  // namespace

void read_pool(const toml::table& table, const std::string& name, Draft& draft, Findings& findings) {
  TableReader r(findings, table, "pool.NAME", "pool." + name);
  Pool pool;
  PoolPlaces places;
  pool.name = name;
  places.pool = places.cookie = r.place();
  // The bundle's own: it brings its servers.
  if (!draft.bundle || name != Bundle::kPool) {
    read_servers(r, pool, places, findings);
  } else if (const toml::node* servers = r.find("servers")) {
    r.wrong("servers", *servers, "with [bundle] this pool has the bundle's nodes; name yours otherwise");
  }
  read_affinity(r, pool, places, findings);
  r.choice<OnLost>("on_lost", pool.on_lost, kOnLost);
  r.integer("max_connections", pool.max_connections, 0, 100'000'000);
  r.boolean("engineio", pool.engineio);
  r.boolean("fast_open", pool.fast_open);
  read_sources(r, pool, places);
  if (const toml::table* t = r.table("cookie")) read_cookie(*t, pool, places, findings);
  if (const toml::table* t = r.table("health")) read_health(*t, pool, findings);
  if (const toml::table* t = r.table("timeouts")) read_timeouts(*t, pool, findings);
  settle_affinity(r, pool, places, findings);
  r.refuse_unknown({"cookie", "health", "timeouts"});
  draft.config.pools.push_back(std::move(pool));
  draft.pools.push_back(std::move(places));
}

}  // namespace limpet::config
