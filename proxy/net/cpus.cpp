#include "proxy/net/cpus.h"

#include <pthread.h>
#include <sched.h>

namespace limpet::net {
namespace {

constexpr std::size_t kMostCpus = 8192;  // the kernel refuses a set that is smaller than its own

struct Set {
  cpu_set_t* bits = CPU_ALLOC(kMostCpus);
  const std::size_t size = CPU_ALLOC_SIZE(kMostCpus);
  Set() { CPU_ZERO_S(size, bits); }
  ~Set() { CPU_FREE(bits); }
  Set(const Set&) = delete;
};

}  // namespace

std::vector<Cpu> usable_cpus() {
  const Set set;
  std::vector<Cpu> cpus;
  if (::sched_getaffinity(0, set.size, set.bits) == 0) {
    for (std::size_t i = 0; i < kMostCpus; ++i) {
      if (CPU_ISSET_S(i, set.size, set.bits)) cpus.push_back(static_cast<Cpu>(i));
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

void run_on(std::optional<Cpu> cpu) {
  if (!cpu) return;
  const Set set;
  CPU_SET_S(*cpu, set.size, set.bits);
  ::pthread_setaffinity_np(::pthread_self(), set.size, set.bits);
}

}  // namespace limpet::net
