// Relay: the floor: the smallest program that passes bytes between a client and a server and keeps what a
// proxy owes both: backpressure, half-close, no loss. It reads no HTTP.
#pragma once

#include <string>

namespace limpet::bench {

struct RelayOptions {
  std::string listen;
  std::string upstream;
  std::string ports_file;  // where the address is written; empty: standard output
};

[[noreturn]] void relay(const RelayOptions& options);

}  // namespace limpet::bench
