// The servers of the bundle's pool in what the proxy's GET /status says.
#pragma once

#include <boost/json.hpp>

#include "proxy/config/config.h"

namespace limpet::bundle {

// Throws if that is not what it is.
template <class F>
void each_server(const boost::json::value& status, F&& f) {
  for (const auto& pool : status.at("pools").as_array()) {
    if (pool.at("name").as_string() != config::Bundle::kPool) continue;
    for (const auto& server : pool.at("servers").as_array())
      f(std::string(server.at("id").as_string()), server);
  }
}

}  // namespace limpet::bundle
