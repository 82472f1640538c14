#include "proxy/capacity.h"

#include <spdlog/fmt/fmt.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>

namespace limpet {
namespace {

// Listeners, epoll sets, event and timer descriptors, logs, the admin's connections and probes.
std::uint64_t reserve_of(const config::Config& config, std::uint32_t workers) {
  std::uint64_t servers = 0;
  constexpr std::uint64_t kMostProbes = 64;
  for (const config::Pool& pool : config.pools)
    servers += pool.servers.size() + (pool.names.empty() ? 0 : kMostProbes);
  return 24 + workers * (8 + 5 * config.listeners.size()) + std::min(servers, kMostProbes);
}

std::uint32_t ephemeral_ports() {
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  std::uint32_t low = 0, high = 0;
  if (!(file >> low >> high) || high < low) return 28'232;
  return high - low + 1;
}

std::uint64_t ports_to(const config::Pool& pool, const config::Server& server, const Machine& machine) {
  std::uint64_t sources = 0;
  const auto literal = wire::IpAddress::parse(server.address.host);
  for (const wire::IpAddress& each : pool.source_addresses) {
    if (!literal || literal->is_v4() == each.is_v4()) ++sources;
  }
  return machine.ephemeral_ports * std::max<std::uint64_t>(sources, 1);
}

}  // namespace

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

Capacity check_capacity(const config::Config& config, std::uint32_t workers) {
  return check_capacity(config, workers, {raise_descriptor_limit(), ephemeral_ports()});
}

Capacity check_capacity(const config::Config& config, std::uint32_t workers, const Machine& machine) {
  Capacity result;
  result.descriptors = machine.descriptors;
  const std::uint64_t reserve = reserve_of(config, workers);
  const std::uint64_t possible = machine.descriptors > reserve + 2 ? (machine.descriptors - reserve) / 2 : 1;
  const std::uint64_t asked = config.proxy.max_connections;
  // More than descriptors hold would let clients take those that the servers' side of their tunnels needs.
  const std::uint64_t enforced = asked == 0 ? possible : std::min(asked, possible);
  result.max_connections = static_cast<std::uint32_t>(std::min<std::uint64_t>(enforced, 0xffffffff));
  if (machine.descriptors < reserve + 2) {
    result.warnings.push_back(fmt::format(
        "the limit of {} descriptors is below the {} that limpet itself needs: raise it (LimitNOFILE= of "
        "systemd, ulimit -n)",
        machine.descriptors, reserve));
  }
  if (asked > possible) {
    result.warnings.push_back(fmt::format(
        "proxy.max_connections = {} needs {} descriptors, the limit is {}: raise it (LimitNOFILE= of "
        "systemd, ulimit "
        "-n) or set max_connections to at most {}; until then {} are accepted and further ones get a 503",
        asked, asked * 2 + reserve, machine.descriptors, possible, possible));
  } else if (asked == 0) {
    result.notes.push_back(fmt::format("at most {} connections: {} descriptors, two a tunnel, {} in reserve",
                                       possible, machine.descriptors, reserve));
  }
  std::string short_of_ports;
  for (const config::Pool& pool : config.pools) {
    std::vector<config::Server> servers = pool.servers;
    servers.insert(servers.end(), pool.names.begin(), pool.names.end());
    for (const config::Server& server : servers) {
      if (server.address.kind == config::Endpoint::Kind::unix_socket) continue;
      const std::uint64_t ports = ports_to(pool, server, machine);
      if (server.max_connections <= ports) continue;
      if (server.max_connections_set) {
        result.warnings.push_back(fmt::format(
            "pool {}, server {}: max_connections = {}, but there are {} local ports to it: list more "
            "source_addresses in the pool, widen net.ipv4.ip_local_port_range, or lower max_connections",
            pool.name, server.id, server.max_connections, ports));
      } else {
        short_of_ports += (short_of_ports.empty() ? "" : ", ") + pool.name + "/" + server.id;
      }
    }
  }
  if (!short_of_ports.empty()) {
    result.notes.push_back(
        fmt::format("local ports hold {} connections to one server and source address, fewer than "
                    "the default max_connections of {}; source_addresses in a pool add more",
                    machine.ephemeral_ports, short_of_ports));
  }
  return result;
}

}  // namespace limpet
