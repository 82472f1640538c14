// RouteTable against the obvious: every rule is looked at, the most specific match wins.
//
// Input: lines. `r HOST,HOST PATH` is a rule (hosts may be empty), any other line is `HOST PATH` to look up,
// split at the first space.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/route_table.h"

namespace {

using limpet::routing::RouteRule;

std::string_view cut(std::string_view& text, char at) {
  const std::size_t end = std::min(text.find(at), text.size());
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return head;
}

std::string canonical(std::string_view host, bool pattern) {
  if (host.ends_with('.') && !(pattern && host.size() == 1)) host.remove_suffix(1);
  std::string lower(host);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

// 0: no match; else the more specific the higher.
std::size_t host_rank(const std::string& pattern, const std::string& host) {
  if (pattern == "*") return 1;
  if (host.size() > 255) return 0;
  if (pattern.starts_with("*.")) {
    const std::string_view suffix = std::string_view(pattern).substr(1);
    return host.size() > suffix.size() && host.ends_with(suffix) ? 1 + suffix.size() : 0;
  }
  return pattern == host ? 100'000 : 0;
}

bool path_matches(std::string_view rule, std::string_view path) {
  if (rule == "/") return true;
  if (!path.starts_with(rule)) return false;
  return path.size() == rule.size() || path[rule.size()] == '/' || rule.ends_with('/');
}

std::optional<std::uint32_t> obvious(const std::vector<RouteRule>& rules, std::string_view host_as_sent,
                                     std::string_view path) {
  const std::string host = canonical(host_as_sent, false);
  path = path.substr(0, path.find('?'));
  std::size_t best_host = 0, best_path = 0;
  std::optional<std::uint32_t> best;
  for (const RouteRule& rule : rules) {
    if (!path_matches(rule.path, path)) continue;
    std::size_t rank = rule.hosts.empty() ? 1 : 0;
    for (const std::string& pattern : rule.hosts) {
      rank = std::max(rank, host_rank(canonical(pattern, true), host));
    }
    const std::size_t length = rule.path == "/" ? 0 : rule.path.size();  // "/" holds "*" too
    if (rank == 0 || rank < best_host || (rank == best_host && best && length <= best_path)) continue;
    best_host = rank;
    best_path = length;
    best = rule.target;
  }
  return best;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<RouteRule> rules;
  std::vector<std::string_view> asked;
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    if (!line.starts_with("r ")) {
      asked.push_back(line);
      continue;
    }
    line.remove_prefix(2);
    std::string_view hosts = cut(line, ' ');
    RouteRule rule;
    while (!hosts.empty()) rule.hosts.emplace_back(cut(hosts, ','));
    rule.path = line.empty() ? "/" : std::string(line);
    rule.target = static_cast<std::uint32_t>(rules.size());
    rules.push_back(std::move(rule));
  }
  const limpet::routing::RouteTable table(rules);
  for (std::string_view line : asked) {
    const std::string_view host = cut(line, ' ');
    if (table.find(host, line) != obvious(rules, host, line)) std::abort();
  }
  return 0;
}
