// Run: the load: one thread, one epoll set, one of the modes; ends with a line of JSON.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace limpet::bench {

struct RunOptions {
  std::string target;
  std::string from;  // where the broadcasters of io-fanout are; empty: there, too
  std::string mode;
  std::uint32_t sockets = 0;    // 0: the mode's own number
  std::uint64_t size = 0;       // payload of a message, or body, in bytes
  std::uint32_t in_flight = 0;  // messages a socket, or connections where each unit has its own
  double rate = 1000;           // messages a second: of all sockets (paced), to each (push)
  double seconds = 3;
  double warm_up = 0.5;
  std::uint32_t sources = 16;  // client addresses: 127.0.1.1 and on
  std::string path;
  std::string host = "localhost";
  bool tls = false;
  bool resume = false;
  pid_t pid = 0;
  double limit = 0;       // seconds for all; 0: what the mode should take and 30 more
  double wait_ready = 0;  // seconds to wait for the target to answer
  std::uint32_t cycles = 1;
  bool tunnels_done_check = false;
};

const std::vector<std::string>& run_modes();
int run(const RunOptions& options);  // the exit status

}  // namespace limpet::bench
