// CPUs: which there are for this process, and binding a thread to one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace limpet::net {

using Cpu = std::uint16_t;

// In ascending order; what taskset(1), a container's cpuset or systemd's CPUAffinity= left. Never empty.
std::vector<Cpu> usable_cpus();

// Binds the calling thread, and all that it starts. Nothing happens without a CPU, or where the kernel has
// taken it away meanwhile: then the thread runs where it may.
void run_on(std::optional<Cpu> cpu);

}  // namespace limpet::net
