// Site: what the bundle takes of this machine before anything runs: a folder, ports, passwords, programs.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "proxy/bundle/blueprint.h"
#include "proxy/bundle/runtime_folder.h"
#include "proxy/net/fd.h"

namespace limpet::bundle {

struct Wanted {
  std::uint32_t nodes = 2;
  bool listener = true;  // 127.0.0.1:8080, or the next port that is free
  bool command = false;  // nodes are somebody's program: they need ports, and Redis one and a password
  std::uint16_t first_port = 0;  // n1's; 0: sockets, or ports that are free
  bool managed_redis = true;
  std::string redis_url;
};

struct Prepared {
  RuntimeFolder folder;
  Site site;
  std::vector<std::uint16_t> ports;  // a node each; 0: a Unix socket
  // Bound and not listening, so that the kernel gives those ports to nobody who did not ask for them.
  std::vector<net::Fd> reserved;
  std::vector<std::string> notes;  // what is not as one would expect
};

std::variant<Prepared, std::string> prepare(const Wanted& wanted);  // or why not

// A loopback port that is nobody's, and the socket that keeps it so.
struct Port {
  std::uint16_t number = 0;  // 0: there is none
  net::Fd reserve;
};
Port free_port();

}  // namespace limpet::bundle
