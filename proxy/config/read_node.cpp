// [node]: what `limpet node` serves.
#include <optional>
#include <utility>

#include "proxy/config/check_node.h"
#include "proxy/config/node_keys.h"
#include "proxy/config/read.h"

namespace limpet::config {
namespace {

struct TableVisitor {
  TableReader& r;
  template <class T>
  void parsed(std::string_view key, T& out, Value<T> (*parse)(std::string_view), std::string_view,
              std::string_view) {
    r.parsed(key, out, parse);
  }
  template <class T>
  void parsed(std::string_view key, std::optional<T>& out, Value<T> (*parse)(std::string_view),
              std::string_view, std::string_view) {
    r.parsed(key, out, parse);
    if (out == T{}) out.reset();
  }
  void list(std::string_view key, std::vector<std::string>& out,
            Value<std::string> (*parse)(std::string_view), std::string_view, std::string_view) {
    if (r.has(key)) out.clear();
    r.strings(key, [&](std::string_view text, const toml::node& node) {
      r.accept(key, node, parse(text), out.emplace_back());
    });
  }
  template <class E>
  void choice(std::string_view key, E& out, std::span<const std::pair<std::string_view, E>> words,
              std::string_view) {
    r.choice(key, out, words);
  }
  template <class E>
  void choice(std::string_view key, std::optional<E>& out,
              std::span<const std::pair<std::string_view, E>> words, std::string_view) {
    E word{};
    const std::size_t before = r.problems();
    r.choice(key, word, words);
    if (r.has(key) && r.problems() == before) out = word;
  }
  template <class T>
  void integer(std::string_view key, T& out, std::int64_t least, std::int64_t most, std::string_view) {
    r.integer(key, out, least, most);
  }
  template <class T>
  void size(std::string_view key, T& out, std::uint64_t least, std::uint64_t most, std::string_view) {
    r.size(key, out, least, most);
  }
  void duration(std::string_view key, Duration& out, Duration least, Duration most, std::string_view) {
    r.duration(key, out, least, most);
  }
  void boolean(std::string_view key, bool& out, std::string_view) { r.boolean(key, out); }
};

// What the bundle says to its nodes, and where its owner says it.
constexpr std::pair<std::string_view, std::string_view> kBundles[] = {
    {"listen", "with [bundle] a node's address is the bundle's; write bundle.ports, or leave it out"},
    {"id", "with [bundle] nodes are n1, n2 and so on; leave it out"},
    {"admin", "with [bundle] a node's admin address is the bundle's; leave it out"},
    {"redis", "with [bundle] write bundle.redis"},
    {"adapter", "with [bundle] write bundle.adapter"}};

void check_bundles(TableReader& r, const Config& config, Findings& findings) {
  for (const auto& [key, why] : kBundles) {
    if (const toml::node* at = r.find(key)) r.wrong(key, *at, std::string(why));
  }
  const Duration most = Bundle::drain_window_after(config.proxy.shutdown_delay);
  if (const toml::node* at = r.find("drain_window"); at && config.node.drain_window > most) {
    findings.warning(place_of(*at), r.name("drain_window") + ": with [bundle] at most " +
                                        quoted(duration_text(most)) + " of it count; write that or less");
  }
}

// Joined as the bundle joins it.
Node joined(const Node& node, const Bundle& bundle) {
  Node out = node;
  out.redis = bundle.redis.value_or("unix:redis.sock");
  out.adapter = bundle.adapter == BundleAdapter::redis ? NodeAdapter::redis : NodeAdapter::redis_streams;
  return out;
}

}  // namespace

void read_node(const toml::table& table, Config& out, Findings& findings) {
  TableReader r(findings, table, "node", "node");
  TableVisitor visitor{r};
  const std::size_t before = findings.problems.size();
  visit_node_keys(out.node, visitor);
  if (out.bundle) check_bundles(r, out, findings);
  if (findings.problems.size() == before) {
    const Node& checked = out.bundle ? joined(out.node, *out.bundle) : out.node;
    for (const NodeFault& fault : check_node(checked)) {
      const toml::node* node = r.find(fault.key);
      r.wrong(fault.key, node != nullptr ? *node : table, fault.why);
    }
    for (const NodeFault& idle : idle_node_keys(checked)) {
      const toml::node* node = r.find(idle.key);
      if (node != nullptr) findings.warning(place_of(*node), r.name(idle.key) + ": " + idle.why);
    }
  }
  r.refuse_unknown();
}

}  // namespace limpet::config
