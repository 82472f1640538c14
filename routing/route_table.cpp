#include "routing/route_table.h"

#include <algorithm>
#include <array>
#include <functional>
#include <unordered_map>

#include "routing/xxh3.h"

namespace limpet::routing {
namespace {

constexpr std::size_t kLongestHost = 255;  // RFC 1035, 3.1: a longer name is nobody's

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return XXH3_64bits(text.data(), text.size()); }
};
template <class T>
using ByName = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The rules of one host pattern: their paths, and which lengths these have, longest first.
class Paths {
 public:
  void add(std::string_view path, std::uint32_t target) {
    if (path == "/") path = {};  // holds everything, `*` too
    if (!by_path_.emplace(path, target).second) return;
    const auto place = std::lower_bound(lengths_.begin(), lengths_.end(), path.size(), std::greater<>());
    if (place == lengths_.end() || *place != path.size()) lengths_.insert(place, path.size());
  }

  std::optional<std::uint32_t> find(std::string_view path) const {
    auto length = std::lower_bound(lengths_.begin(), lengths_.end(), path.size(), std::greater<>());
    for (; length != lengths_.end(); ++length) {  // no more of them than the path has bytes
      if (!ends_segment(path, *length)) continue;
      const auto found = by_path_.find(path.substr(0, *length));
      if (found != by_path_.end()) return found->second;
    }
    return std::nullopt;
  }

 private:
  static bool ends_segment(std::string_view path, std::size_t length) {
    if (length == 0 || length == path.size()) return true;
    return length < path.size() && (path[length] == '/' || path[length - 1] == '/');
  }

  ByName<std::uint32_t> by_path_;
  std::vector<std::size_t> lengths_;
};

}  // namespace

struct RouteTable::Impl {
  ByName<Paths> exact;
  ByName<Paths> below;  // "*.example.org" stands as "example.org"
  Paths everywhere;

  void add(std::string_view pattern, std::string_view path, std::uint32_t target) {
    std::string host(pattern);
    std::transform(host.begin(), host.end(), host.begin(), lower);
    if (host.size() > 1 && host.back() == '.') host.pop_back();
    if (host == "*") return everywhere.add(path, target);
    if (host.starts_with("*.")) return below[host.substr(2)].add(path, target);
    exact[host].add(path, target);
  }
};

RouteTable::RouteTable(std::span<const RouteRule> rules) : impl_(std::make_unique<Impl>()) {
  for (const RouteRule& rule : rules) {
    const std::string_view path = rule.path.empty() ? std::string_view("/") : std::string_view(rule.path);
    if (rule.hosts.empty()) impl_->everywhere.add(path, rule.target);
    for (const std::string& host : rule.hosts) impl_->add(host, path, rule.target);
  }
}

RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;

std::optional<std::uint32_t> RouteTable::find(std::string_view host, std::string_view path) const {
  path = path.substr(0, path.find('?'));
  if (host.ends_with('.')) host.remove_suffix(1);
  std::array<char, kLongestHost> buffer;
  if (host.size() > buffer.size()) return impl_->everywhere.find(path);
  std::transform(host.begin(), host.end(), buffer.begin(), lower);
  host = {buffer.data(), host.size()};

  if (const auto rules = impl_->exact.find(host); rules != impl_->exact.end()) {
    if (const auto target = rules->second.find(path)) return target;
  }
  if (!impl_->below.empty()) {
    // From the longest suffix to the shortest, a label or more left of it.
    for (std::size_t dot = host.find('.', 1); dot < host.size(); dot = host.find('.', dot + 1)) {
      const auto rules = impl_->below.find(host.substr(dot + 1));
      if (rules == impl_->below.end()) continue;
      if (const auto target = rules->second.find(path)) return target;
    }
  }
  return impl_->everywhere.find(path);
}

}  // namespace limpet::routing
