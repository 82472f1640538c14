#include "tests/bench/load/ledger.h"

#include <algorithm>
#include <stdexcept>

#include "tests/bench/load/json.h"

namespace limpet::bench {
namespace {

double kib(std::uint64_t value) {
  return static_cast<double>(value);
}

}  // namespace

Ledger::Ledger(Load& load) : load_(load) {
  if (load.options().pid == 0) throw std::runtime_error("memory is measured of a process: --pid is missing");
  memory_ = memory_of(load.options().pid);
  kernel_ = kernel_socket_memory_kib();
  text_ = "\"baseline\": {\"anonymous\": " + json(kib(memory_.anonymous_kib)) +
          ", \"pss\": " + json(kib(memory_.pss_kib)) + ", \"rss\": " + json(kib(memory_.rss_kib)) + "}";
}

Ledger::~Ledger() {
  load_.note("memory",
             "{\"unit\": \"KiB a connection\", " + text_ + ", \"rss_kib_after_cycles\": [" + cycles_ + "]}");
}

void Ledger::stage(const std::string& name, std::uint32_t connections) {
  const Memory now = memory_of(load_.options().pid);
  const auto each = [connections](std::uint64_t before, std::uint64_t after) {
    return json((kib(after) - kib(before)) / std::max(connections, 1u));
  };
  text_ += ", \"" + name + "\": {\"anonymous\": " + each(memory_.anonymous_kib, now.anonymous_kib) +
           ", \"pss\": " + each(memory_.pss_kib, now.pss_kib) +
           ", \"rss\": " + each(memory_.rss_kib, now.rss_kib) +
           ", \"kernel\": " + each(kernel_, kernel_socket_memory_kib()) + "}";
}

void Ledger::cycle() {
  const Memory now = memory_of(load_.options().pid);
  cycles_ += (cycles_.empty() ? "" : ", ") + json(kib(now.rss_kib));
}

}  // namespace limpet::bench
