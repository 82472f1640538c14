// Usage: what the proxy's processes have used, from their CPU clocks and /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace limpet::bench {

struct Cpu {
  std::int64_t total_ns = 0;
  double user_share = 0;
  int appeared = 0, gone = 0;  // processes, between start and end
};

// CPU of a process and all its descendants between start() and stop().
class CpuMeter {
 public:
  explicit CpuMeter(pid_t root);
  void start();
  void stop();
  Cpu used() const;

 private:
  struct Process {
    pid_t pid;
    std::int64_t first_ns = 0, last_ns = 0;
    std::uint64_t first_user = 0, first_system = 0, last_user = 0, last_system = 0;  // clock ticks
    bool gone = false;
  };
  pid_t root_;
  std::vector<Process> processes_;
  int appeared_ = 0;
};

struct Memory {
  std::uint64_t rss_kib = 0, pss_kib = 0, anonymous_kib = 0;
};

std::vector<pid_t> family_of(pid_t root);  // itself and its descendants
Memory memory_of(pid_t root);              // summed over them
std::uint64_t kernel_socket_memory_kib();  // all TCP buffers of the network namespace

}  // namespace limpet::bench
