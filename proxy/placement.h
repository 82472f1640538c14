// Placement: how many workers there are, and on which CPUs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/config/load.h"
#include "proxy/net/cpus.h"

namespace limpet {

struct Placement {
  std::uint32_t workers = 1;
  std::vector<net::Cpu> cpus;             // of each worker; empty: wherever the kernel likes
  std::vector<config::Problem> problems;  // why the configuration cannot hold on these CPUs
  std::optional<net::Cpu> cpu_of(std::uint32_t worker) const {
    return cpus.empty() ? std::nullopt : std::optional(cpus[worker]);
  }
};

// `usable` are the CPUs that the process may use.
Placement place_workers(const config::Proxy& proxy, const std::vector<net::Cpu>& usable);

}  // namespace limpet
