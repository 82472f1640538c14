// An address of the configuration as a socket's.
#pragma once

#include <optional>

#include "proxy/config/config.h"
#include "proxy/net/address.h"

namespace limpet {

// Nothing for a host name, and for a Unix socket's path that is too long.
inline std::optional<net::Address> to_address(const config::Endpoint& endpoint) {
  if (endpoint.kind == config::Endpoint::Kind::unix_socket) return net::Address::unix_socket(endpoint.path);
  const auto ip = wire::IpAddress::parse(endpoint.host);
  return ip ? std::optional(net::Address::ip(*ip, endpoint.port)) : std::nullopt;
}

}  // namespace limpet
