#include "proxy/config/checks.h"

#include <algorithm>
#include <map>

#include "routing/server.h"

namespace limpet::config {
namespace {

void check_presence(const Draft& draft, Findings& findings) {
  if (draft.bundle || draft.node_alone) return;
  const auto none_reported = [&](std::string_view word) {
    return std::none_of(findings.problems.begin(), findings.problems.end(),
                        [&](const Problem& each) { return each.message.starts_with(word); });
  };
  if (draft.config.listeners.empty() && none_reported("listener")) {
    findings.problem(kWholeFile, "there is no listener; add [[listener]] with address = \"0.0.0.0:80\"");
  }
  if (draft.config.pools.empty() && none_reported("pool")) {
    findings.problem(kWholeFile, "there is no pool; add [pool.ws] with servers = [\"ws1=10.0.1.1:3000\"]");
  }
}

// Each once, and none beside a server that stands for the same: by its id, or by its host and port.
void check_names(const Pool& pool, const PoolPlaces& places, Findings& findings) {
  for (std::size_t i = 0; i < pool.names.size(); ++i) {
    const Server& name = pool.names[i];
    const auto clash = [&](const Place& other, const std::string& what) {
      findings.problem(places.names[i], "pool." + pool.name + ".servers: " + quoted(name.id) + what +
                                            ", in line " + std::to_string(other.line) +
                                            "; leave one of them out");
    };
    const auto earlier = pool.names.begin() + static_cast<std::ptrdiff_t>(i);
    const auto twin =
        std::find_if(pool.names.begin(), earlier, [&](const Server& s) { return s.id == name.id; });
    if (twin != earlier)
      clash(places.names[static_cast<std::size_t>(twin - pool.names.begin())], " stands there already");
    for (std::size_t s = 0; s < pool.servers.size(); ++s) {
      const Server& server = pool.servers[s];
      if (server.id == name.id) clash(places.servers[s], " is the id of a server, too");
      if (server.address == name.address) clash(places.servers[s], ": the name stands there as one server");
    }
  }
}

void check_servers(const Pool& pool, const PoolPlaces& places, Findings& findings) {
  std::map<std::string, std::size_t> by_id, by_tag, by_address;
  const std::string path = "pool." + pool.name + ".servers: ";
  for (std::size_t i = 0; i < pool.servers.size(); ++i) {
    const Server& server = pool.servers[i];
    const Place at = places.servers[i];
    const auto [id, fresh] = by_id.emplace(server.id, i);
    if (!fresh) {
      findings.problem(at, path + "there is a server " + quoted(server.id) + " already, in line " +
                               std::to_string(places.servers[id->second].line) +
                               "; give one of them another id");
      continue;
    }
    const auto [tag, own] = by_tag.emplace(routing::server_tag(server.id), i);
    if (!own) {
      findings.problem(at, path + quoted(server.id) + " and " + quoted(pool.servers[tag->second].id) +
                               " have the same tag in self-naming sids; give one of them another id");
    }
    const auto [address, first] = by_address.emplace(server.address.text(), i);
    if (!first) {
      findings.warning(at, path + quoted(server.id) + " and " + quoted(pool.servers[address->second].id) +
                               " have the same address");
    }
  }
  check_names(pool, places, findings);
  const auto all = [&](auto what) {
    return !(pool.servers.empty() && pool.names.empty()) &&
           std::all_of(pool.servers.begin(), pool.servers.end(), what) &&
           std::all_of(pool.names.begin(), pool.names.end(), what);
  };
  if (all([](const Server& s) { return s.weight == 0; })) {
    findings.problem(places.server_list,
                     path + "every weight is 0, so that no session could begin; give one 1 to 1000");
  }
  if (all([](const Server& s) { return s.backup; })) {
    findings.problem(places.server_list, path + "every server is a backup; of what? Leave backup out of one");
  }
}

// A source address serves servers of its own family; names may turn out to be either.
void check_sources(const Pool& pool, const PoolPlaces& places, Findings& findings) {
  if (pool.servers.empty() || !pool.names.empty()) return;  // a name's addresses may be of either
  for (std::size_t i = 0; i < pool.source_addresses.size(); ++i) {
    const wire::IpAddress& source = pool.source_addresses[i];
    const bool useful = std::any_of(pool.servers.begin(), pool.servers.end(), [&](const Server& server) {
      if (server.address.kind == Endpoint::Kind::name) return true;
      const auto ip = wire::IpAddress::parse(server.address.host);
      return ip && ip->is_v4() == source.is_v4();
    });
    if (useful) continue;
    findings.problem(places.sources[i], "pool." + pool.name + ".source_addresses: " + quoted(source.text()) +
                                            " is of no use: no server has an address of its family; leave it "
                                            "out");
  }
}

}  // namespace

void check_document(Draft& draft, Findings& findings) {
  check_presence(draft, findings);
  check_listeners(draft, findings);
  for (std::size_t i = 0; i < draft.config.pools.size(); ++i) {
    check_servers(draft.config.pools[i], draft.pools[i], findings);
    check_sources(draft.config.pools[i], draft.pools[i], findings);
  }
  check_routes(draft, findings);
  check_cookies(draft, findings);
}

}  // namespace limpet::config
