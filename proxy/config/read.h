// read: a parsed TOML document to a Config, and where in the file things stand, for the checks between them.
#pragma once

#include <vector>

#include "proxy/config/config.h"
#include "proxy/config/table_reader.h"

namespace limpet::config {

struct PoolPlaces {
  Place pool;
  Place cookie;
  std::vector<Place> servers;
  bool affinity_set = false;
  bool cookie_mode_off = false;
};

struct Draft {
  Config config;
  std::vector<Place> listeners;
  std::vector<Place> routes;
  std::vector<bool> route_has_pool;
  std::vector<PoolPlaces> pools;
  bool bundle = false;  // [bundle] is there: neither listener nor pool is needed
};

Draft read_document(const toml::table& root, Findings& findings);
void read_pool(const toml::table& table, const std::string& name, Draft& draft, Findings& findings);

// Between tables: what each says is sound, together it may not be.
void check_document(Draft& draft, Findings& findings);

}  // namespace limpet::config
