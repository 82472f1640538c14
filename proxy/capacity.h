// Capacity: what this machine can hold, checked against what the configuration asks for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/config/config.h"

namespace limpet {

struct Capacity {
  std::uint64_t descriptors = 0;      // RLIMIT_NOFILE, after raising the soft limit to the hard one
  std::uint32_t max_connections = 0;  // that are enforced: two descriptors each, less a reserve
  std::vector<std::string> warnings;  // a number that was set by hand and cannot be held, with the cures
  std::vector<std::string> notes;
};

Capacity check_capacity(const config::Config& config, std::uint32_t workers);

std::uint64_t raise_descriptor_limit();  // the soft limit to the hard one, which is returned

// The arithmetic alone, for tests.
struct Machine {
  std::uint64_t descriptors;
  std::uint32_t ephemeral_ports;
};
Capacity check_capacity(const config::Config& config, std::uint32_t workers, const Machine& machine);

}  // namespace limpet
