// Metrics: one worker's counters. Written by its thread, read by admin.
#pragma once

#include <array>
#include <cstdint>

#include "proxy/net/counter.h"
#include "proxy/session/answers.h"

namespace limpet::session {

struct Metrics {
  static constexpr std::size_t kFaults = wire::kFaults;
  static constexpr std::size_t kKinds = 7;  // routing::By

  net::Counter accepted;
  net::Counter requests;
  std::array<net::Counter, 6> by_status_class;       // [2]: 2xx; [0]: none was sent
  std::array<net::Counter, kFaults> request_faults;  // refused requests, by fault
  std::array<net::Counter, kFaults> answer_faults;   // refused answers of servers
  std::array<net::Counter, kCauses> causes;          // how requests ended
  std::array<net::Counter, kKinds> chosen_by;
  net::Counter retries_connect;    // tried elsewhere after a failed connect
  net::Counter retries_handshake;  // after a silent one
  net::Counter retries_stale;      // a reused connection had closed
  net::Counter retries_moved;      // the server was found silent or down
  net::Counter upgrades;           // tunnels begun
  net::Counter connects;
  net::Counter reused;
  net::Counter bytes_in;  // of requests; tunnels count their own
  net::Counter bytes_out;
  std::atomic<std::uint64_t> sessions{0};  // client connections that this worker holds now, tunnels apart
  std::atomic<std::uint64_t> idle_upstream{0};
};

}  // namespace limpet::session
