// RouteTable: host and path prefix to pool. Immutable; lookups cost one hash per label of the host and one
// per segment of the path at most, whatever the number of routes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace limpet::routing {

struct RouteRule {
  std::vector<std::string> hosts;  // "example.org", "*.example.org" (one label or more); empty: all hosts
  std::string path = "/";          // a prefix at segment boundaries: "/a" holds /a, /a/b, /a?x, not /ab
  std::uint32_t target = 0;        // what find() gives back
};

class RouteTable {
 public:
  // A rule that repeats another's host and path is unreachable; the earlier one holds.
  explicit RouteTable(std::span<const RouteRule> rules);
  ~RouteTable();
  RouteTable(RouteTable&&) noexcept;

  // Exact host first, then the longest wildcard, then rules for all hosts; among one host's rules the longest
  // path. A host without a matching path falls through to the next less specific host. `host` has no port and
  // no brackets, any case, a trailing dot is ignored; `path` is as sent, not decoded.
  std::optional<std::uint32_t> find(std::string_view host, std::string_view path) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::routing
