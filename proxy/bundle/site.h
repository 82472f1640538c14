// Site: what the bundle takes of this machine before anything runs: a folder, ports, passwords, programs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "proxy/bundle/blueprint.h"
#include "proxy/bundle/runtime_folder.h"
#include "proxy/net/fd.h"

namespace limpet::bundle {

struct Wanted {
  bool listener = true;  // 127.0.0.1:8080, or the next port that is free
  bool command = false;  // nodes are somebody's program: they need ports, and Redis one and a password
  std::uint16_t first_port = 0;  // n1's; 0: sockets, or ports that are free
  bool managed_redis = true;
  std::string redis_url;
};

// A loopback port that is nobody's, and the socket that keeps it so.
struct Port {
  std::uint16_t number = 0;  // 0: there is none
  net::Fd reserve;
};
struct Prepared {
  RuntimeFolder folder;
  Site site;
  // Bound and not listening, so that the kernel gives those ports to nobody who did not ask for them.
  std::map<std::uint32_t, Port> reserved;  // by the node's number; 0: Redis
  net::Fd claim;                           // on the listener's port, against other bundles
  std::vector<std::string> notes;          // what is not as one would expect
};

std::variant<Prepared, std::string> prepare(const Wanted& wanted);  // or why not

// The n-th node's, from 1; 0: a Unix socket; nothing: there is none. Reserved in `prepared`.
std::optional<std::uint16_t> port_of(const Wanted& wanted, std::uint32_t number, Prepared& prepared);

Port free_port();

}  // namespace limpet::bundle
