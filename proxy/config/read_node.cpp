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

}  // namespace

void read_node(const toml::table& table, Node& out, Findings& findings) {
  TableReader r(findings, table, "node", "node");
  TableVisitor visitor{r};
  const std::size_t before = findings.problems.size();
  visit_node_keys(out, visitor);
  if (findings.problems.size() == before) {
    for (const NodeFault& fault : check_node(out)) {
      const toml::node* node = r.find(fault.key);
      r.wrong(fault.key, node != nullptr ? *node : table, fault.why);
    }
    for (const NodeFault& idle : idle_node_keys(out)) {
      const toml::node* node = r.find(idle.key);
      if (node != nullptr) findings.warning(place_of(*node), r.name(idle.key) + ": " + idle.why);
    }
  }
  r.refuse_unknown();
}

}  // namespace limpet::config
