#include "proxy/placement.h"

#include <algorithm>

namespace limpet {
namespace {

// "0-3, 6"
std::string text_of(const std::vector<net::Cpu>& cpus) {
  std::string text;
  for (std::size_t i = 0, last = 0; i < cpus.size(); i = last + 1) {
    for (last = i; last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1;) ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(cpus[i]);
    if (last > i) text += "-" + std::to_string(cpus[last]);
  }
  return text;
}

}  // namespace

Placement place_workers(const config::Proxy& proxy, const std::vector<net::Cpu>& usable) {
  using Kind = config::CpuAffinity::Kind;
  const config::CpuAffinity& affinity = proxy.cpu_affinity;
  const std::vector<net::Cpu>& cpus = affinity.kind == Kind::list ? affinity.cpus : usable;
  Placement result;
  result.workers = proxy.workers != 0 ? proxy.workers : static_cast<std::uint32_t>(cpus.size());
  if (affinity.kind == Kind::off) return result;

  std::vector<net::Cpu> missing;
  for (const net::Cpu cpu : cpus) {
    if (std::find(usable.begin(), usable.end(), cpu) == usable.end()) missing.push_back(cpu);
  }
  std::sort(missing.begin(), missing.end());
  if (!missing.empty()) {
    result.problems.push_back({affinity.line, affinity.column,
                               "proxy.cpu_affinity: this process may not use CPU " + text_of(missing) +
                                   "; it may use " + text_of(usable)});
  }
  if (proxy.accept_balance == config::AcceptBalance::cpu && result.workers > cpus.size()) {
    result.problems.push_back(
        {0, 0,
         "proxy.accept_balance: \"cpu\" needs a CPU a worker; workers = " + std::to_string(result.workers) +
             " and this process may use " + std::to_string(cpus.size()) + ": CPU " + text_of(cpus)});
  }
  for (std::uint32_t i = 0; i < result.workers; ++i) result.cpus.push_back(cpus[i % cpus.size()]);
  return result;
}

}  // namespace limpet
