// difference: what a changed file asks for that a running process does not do. Pure.
#pragma once

#include <optional>
#include <string>

#include "proxy/config/config.h"

namespace limpet::config {

// The first key that differs, as "pool.ws.health.path" or "listener[1].address", counted from 0 as at load;
// the servers of pools, and [node], which is another process', may. Pools are looked at last.
std::optional<std::string> first_difference(const Config& was, const Config& is);
// As "node.drain_window".
std::optional<std::string> first_difference(const Node& was, const Node& is);

// What has become of the servers of a pool, as "added ws4; removed ws1; changed ws2 (weight 5)"; empty:
// nothing.
std::string describe_servers(const Pool& was, const Pool& is);
// Of all pools that are in both, as "pool web: added web2; pool ws: removed ws1".
std::string describe_servers(const Config& was, const Config& is);

}  // namespace limpet::config
