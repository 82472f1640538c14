// read: a parsed TOML document to a Config, and where in the file things stand, for the checks between them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/config/table_reader.h"

namespace limpet::config {

struct ListenerPlaces {
  std::size_t index;  // in the file: one that is wrong is left out of the Config
  Place table;
  Place address;
};

struct RoutePlaces {
  Place table;
  std::optional<Place> pool;  // the key's value, if it is there
  bool sound;                 // its hosts and path are
};

struct PoolPlaces {
  Place pool;
  Place server_list;
  std::vector<Place> servers;
  std::vector<Place> names;  // of "dns:"
  std::vector<Place> sources;
  std::vector<Place> affinity;  // as in the Pool, if it was written
  Place cookie;
  bool affinity_written = false;
  bool affinity_sound = false;  // written, and nothing is wrong with it
  bool cookie_written = false;
};

struct Draft {
  Config config;
  std::vector<ListenerPlaces> listeners;
  std::vector<RoutePlaces> routes;
  std::vector<PoolPlaces> pools;
  std::optional<Place> admin;    // of its address, if that was written
  bool all_pools_known = true;   // none was too wrong to be in the Config
  bool all_routes_known = true;  // likewise
  std::optional<Place> bundle;   // [bundle] is there: neither listener nor pool is needed
  bool node_alone = false;       // [node] is there and nothing of a proxy: likewise
};

// What the bundle says of its pool is put into `root`.
Draft read_document(toml::table& root, Findings& findings);

// Parts of it. `r` reads the pool's own table.
void read_cpus(TableReader& r, Proxy& out, Findings& findings);  // of [proxy]: cpu_affinity, accept_balance
void read_bundle(const toml::table& table, Bundle& out, Findings& findings);
// After [bundle] and [proxy]: what they say bounds what it may say.
void read_node(const toml::table& table, Config& out, Findings& findings);
void read_pool(const toml::table& table, const std::string& name, Draft& draft, Findings& findings);
void read_servers(TableReader& r, Pool& pool, PoolPlaces& places, Findings& findings);
void read_affinity(TableReader& r, Pool& pool, PoolPlaces& places, Findings& findings);
void read_cookie(const toml::table& table, Pool& pool, PoolPlaces& places, Findings& findings);
void read_health(const toml::table& table, Pool& pool, Findings& findings);
// The bundle's pool, where the file does not say otherwise: sids hold sessions, so that visitors of one
// address, and two tabs of one browser, spread over all nodes. `cookie`: sids do not name these nodes.
void place_sessions(toml::table& pool, bool cookie);
// Once all of the pool is read: what its other keys say of its affinity.
void settle_affinity(TableReader& r, Pool& pool, const PoolPlaces& places, Findings& findings);

}  // namespace limpet::config
