// Which worker runs where, and which connection comes to which worker.
#include <algorithm>
#include <charconv>

#include "proxy/config/read.h"

namespace limpet::config {
namespace {

constexpr std::uint16_t kMostCpu = 1023;  // what the kernel's sets hold unless it is asked for more
constexpr std::string_view kForms = "; write \"off\", \"auto\" or CPUs: [0, 1, \"4-7\"]";

bool read_number(std::string_view text, std::uint16_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out <= kMostCpu;
}

void add_cpus(TableReader& r, const toml::node& node, CpuAffinity& out) {
  const auto* number = node.as_integer();
  const auto* text = node.as_string();
  const auto wrong = [&](const std::string& why) {
    r.wrong("cpu_affinity", node, why + std::string(kForms));
  };
  if (number == nullptr && text == nullptr) return wrong("is no CPU");
  const std::string shown = number ? std::to_string(number->get()) : text->get();
  const auto cpus = to_cpus(shown);
  if (!cpus)
    return wrong((number ? shown : quoted(shown)) + " is no CPU, of 0 to " + std::to_string(kMostCpu));
  for (const std::uint16_t cpu : *cpus) {
    if (std::find(out.cpus.begin(), out.cpus.end(), cpu) != out.cpus.end())
      return wrong("CPU " + std::to_string(cpu) + " stands there twice");
    out.cpus.push_back(cpu);
  }
}

void read_binding(TableReader& r, const toml::node& node, CpuAffinity& out) {
  const auto* word = node.as_string();
  if (word != nullptr && word->get() == "off") return;
  if (word != nullptr && word->get() == "auto") {
    out.kind = CpuAffinity::Kind::automatic;
    return;
  }
  out.kind = CpuAffinity::Kind::list;
  out.line = place_of(node).line;
  out.column = place_of(node).column;
  const toml::array* list = node.as_array();
  if (list == nullptr) return add_cpus(r, node, out);
  for (const toml::node& item : *list) add_cpus(r, item, out);
  if (list->empty()) r.wrong("cpu_affinity", node, "an empty list names no CPU" + std::string(kForms));
}

}  // namespace

std::optional<std::vector<std::uint16_t>> to_cpus(std::string_view text) {
  std::vector<std::uint16_t> cpus;
  while (cpus.size() <= kMostCpu) {
    const std::string_view item = text.substr(0, text.find(','));
    const std::size_t dash = item.find('-');
    std::uint16_t first = 0, last = 0;
    if (!read_number(item.substr(0, dash), first)) return std::nullopt;
    last = first;
    if (dash != std::string_view::npos && !read_number(item.substr(dash + 1), last)) return std::nullopt;
    if (last < first) return std::nullopt;
    for (std::uint32_t cpu = first; cpu <= last; ++cpu) cpus.push_back(static_cast<std::uint16_t>(cpu));
    if (item.size() == text.size()) return cpus;
    text.remove_prefix(item.size() + 1);
  }
  return std::nullopt;
}

void read_cpus(TableReader& r, Proxy& out, Findings& findings) {
  constexpr std::pair<std::string_view, AcceptBalance> kBalances[] = {{"hash", AcceptBalance::hash},
                                                                      {"cpu", AcceptBalance::cpu}};
  const std::size_t before = findings.problems.size();
  if (const toml::node* node = r.find("cpu_affinity")) read_binding(r, *node, out.cpu_affinity);
  r.choice<AcceptBalance>("accept_balance", out.accept_balance, kBalances);
  if (out.accept_balance != AcceptBalance::cpu || findings.problems.size() != before) return;
  const toml::node& at = *r.find("accept_balance");
  const CpuAffinity& affinity = out.cpu_affinity;
  if (affinity.kind == CpuAffinity::Kind::off) {
    r.wrong("accept_balance", at,
            "\"cpu\" needs workers that are bound to CPUs; add cpu_affinity = \"auto\"");
  } else if (affinity.kind == CpuAffinity::Kind::list && out.workers > affinity.cpus.size()) {
    r.wrong("accept_balance", at,
            "\"cpu\" needs a CPU a worker; workers = " + std::to_string(out.workers) +
                " and cpu_affinity names " + std::to_string(affinity.cpus.size()));
  }
}

}  // namespace limpet::config
