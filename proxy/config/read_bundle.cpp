// [bundle]: what `limpet up` runs.
#include <algorithm>

#include "proxy/config/node_keys.h"
#include "proxy/config/read.h"

namespace limpet::config {
namespace {

constexpr std::pair<std::string_view, BundleAdapter> kAdapters[] = {
    {"redis", BundleAdapter::redis}, {"redis_streams", BundleAdapter::redis_streams}};

// What the bundle itself says to a node.
constexpr std::string_view kOurs[] = {"PORT", "SERVER_ID", "REDIS_URL", "REDIS_SOCKET"};

void read_redis(TableReader& r, Bundle& out) {
  const toml::node* node = r.find("redis");
  const auto text = node != nullptr ? r.text_of("redis", *node) : std::nullopt;
  if (!text || *text == "managed") return;
  std::string url;
  r.accept("redis", *node, to_redis(*text), url);
  if (!url.empty()) out.redis = std::move(url);
}

void read_command(TableReader& r, Bundle& out) {
  const toml::node* node = r.find("command");
  if (node == nullptr) return;
  const toml::array* words = node->as_array();
  if (words == nullptr || words->empty())
    return r.wrong("command", *node, "a program and its arguments are expected: [\"node\", \"server.js\"]");
  r.strings("command", [&](std::string_view text, const toml::node& at) {
    const bool first = out.command.empty();
    if ((first && text.empty()) || text.find('\0') != std::string_view::npos)
      return r.wrong("command", at, quoted(text) + " cannot be run");
    out.command.emplace_back(text);
  });
}

bool is_variable(std::string_view name) {
  return !name.empty() && !is_digit(name[0]) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_';
  });
}

void read_environment(TableReader& r, Bundle& out, Findings& findings) {
  const toml::table* variables = r.table("environment");
  if (variables == nullptr) return;
  for (const auto& [key, node] : *variables) {
    const std::string_view name = key.str();
    const Place at = place_of(key);  // clang 14 takes no structured binding into a lambda
    const auto wrong = [&](const std::string& why) {
      findings.problem(at, r.name("environment") + ": " + quoted(name) + why);
    };
    const auto* value = node.as_string();
    if (!is_variable(name)) {
      wrong(" is not a variable's name; A-Z a-z 0-9 _ are accepted");
    } else if (std::ranges::find(kOurs, name) != std::end(kOurs)) {
      wrong(" is set by the bundle, a node's own; leave it out");
    } else if (value == nullptr || value->get().find('\0') != std::string::npos) {
      wrong(": a text is expected: { LOG_LEVEL = \"info\" }");
    } else {
      out.environment.emplace_back(name, value->get());
    }
  }
  std::ranges::sort(out.environment);
}

}  // namespace

void read_bundle(const toml::table& table, Bundle& out, Findings& findings) {
  TableReader r(findings, table, "bundle", "bundle");
  r.integer("nodes", out.nodes, 0, Bundle::kMostNodes);
  read_redis(r, out);
  r.choice<BundleAdapter>("adapter", out.adapter, kAdapters);
  read_command(r, out);
  r.integer("ports", out.ports, 0, 65535);
  if (out.ports != 0 && out.ports + std::max(out.nodes, 1u) - 1 > 65535)
    r.wrong("ports", *r.find("ports"), "there is no port for every node; they go up from this one");
  read_environment(r, out, findings);
  r.refuse_unknown();
}

}  // namespace limpet::config
