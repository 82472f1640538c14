#include "proxy/config/read.h"

#include <algorithm>

namespace limpet::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kKiB = 1024, kMiB = 1024 * 1024;

void read_proxy(const toml::table& table, Draft& draft, Findings& findings) {
  Proxy& out = draft.config.proxy;
  TableReader r(findings, table, "proxy", "proxy");
  r.integer("workers", out.workers, 0, 1024);
  read_cpus(r, out, findings);
  r.integer("max_connections", out.max_connections, 0, 100'000'000);
  r.duration("shutdown_delay", out.shutdown_delay, seconds(0),
             draft.bundle ? Bundle::kMostShutdownDelay : hours(1));
  r.duration("drain_timeout", out.drain_timeout, seconds(0), hours(24));
  if (draft.bundle && out.drain_timeout != Bundle::kBudget) {
    findings.warning(place_of(*r.find("drain_timeout")), r.name("drain_timeout") + ": with [bundle] it is " +
                                                             quoted(duration_text(Bundle::kBudget)) +
                                                             "; leave it out");
  }
  r.string("hash_seed", out.hash_seed);
  r.boolean("via", out.via);
  r.strings("resolvers", [&](std::string_view text, const toml::node& node) {
    constexpr std::size_t kMost = 8;
    const std::size_t before = findings.problems.size();
    Endpoint server;
    r.accept("resolvers", node, to_resolver(text), server);
    if (findings.problems.size() != before) return;
    if (std::find(out.resolvers.begin(), out.resolvers.end(), server) != out.resolvers.end())
      return r.wrong("resolvers", node, quoted(text) + " stands there twice; leave one out");
    if (out.resolvers.size() == kMost)
      return r.wrong("resolvers", node, quoted(text) + " is one too many; at most 8 are asked");
    out.resolvers.push_back(std::move(server));
  });
  r.strings("trusted_proxies", [&](std::string_view text, const toml::node& node) {
    if (text == "unix:") {
      out.trust_unix = true;
      return;
    }
    wire::Cidr cidr;
    const std::size_t before = findings.problems.size();
    r.accept("trusted_proxies", node, to_cidr(text), cidr);
    if (findings.problems.size() != before) return;
    if (cidr.prefix == 0)
      findings.warning(place_of(node), "proxy.trusted_proxies: " + quoted(text) + " trusts everybody");
    out.trusted_proxies.push_back(cidr);
  });
  r.refuse_unknown();
}

void read_listener(const toml::table& table, std::size_t index, Draft& draft, Findings& findings) {
  const std::string path = "listener[" + std::to_string(index) + "]";
  TableReader r(findings, table, "listener", path);
  Listener listener;
  const std::size_t before = findings.problems.size();
  const toml::node* address = r.find("address");
  if (address == nullptr) {
    findings.problem(r.place(), path + ": address is missing; write address = \"0.0.0.0:80\"");
  }
  r.parsed("address", listener.address, to_listen_endpoint);
  if (listener.address.kind == Endpoint::Kind::name) {
    r.wrong("address", *address,
            quoted(listener.address.text()) +
                ": a listener takes an IP address; write \"0.0.0.0:80\" "
                "or \"[::]:80\" for all of this machine's");
  }
  if (draft.bundle && listener.address.kind == Endpoint::Kind::ip && listener.address.port == 0 &&
      findings.problems.size() == before) {
    r.wrong("address", *address,
            quoted(listener.address.text()) +
                ": with [bundle] a port is needed; a proxy that is started again would have another one");
  }
  const bool good = findings.problems.size() == before;
  r.parsed("ready_path", listener.ready_path, to_prefix);
  r.refuse_unknown();
  if (!good) return;
  draft.config.listeners.push_back(std::move(listener));
  draft.listeners.push_back({index, r.place(), place_of(*address)});
}

void read_route(const toml::table& table, std::size_t index, Draft& draft, Findings& findings) {
  TableReader r(findings, table, "route", "route[" + std::to_string(index) + "]");
  Route route;
  const std::size_t before = findings.problems.size();
  r.strings("hosts", [&](std::string_view text, const toml::node& node) {
    std::string host;
    r.accept("hosts", node, to_host_pattern(text), host);
    if (!host.empty()) route.hosts.push_back(std::move(host));
  });
  if (const toml::node* node = r.find("hosts"); node && node->is_array() && node->as_array()->empty()) {
    r.wrong("hosts", *node, "an empty list matches nothing; leave the key out for all hosts");
  }
  r.parsed("path", route.path, to_prefix);
  const bool sound = findings.problems.size() == before;
  r.string("pool", route.pool);
  r.refuse_unknown();
  draft.config.routes.push_back(std::move(route));
  const toml::node* pool = r.find("pool");
  draft.routes.push_back({r.place(), pool ? std::optional(place_of(*pool)) : std::nullopt, sound});
}

// A target is a part of its head.
void check_target_bytes(TableReader& r, const Limits& limits) {
  if (limits.target_bytes <= limits.head_bytes) return;
  const auto shown = [&](std::string_view key, std::uint32_t bytes) {
    return quoted(size_text(bytes)) + (r.has(key) ? "" : " by default");
  };
  const std::string target = shown("target_bytes", limits.target_bytes);
  const std::string head = shown("head_bytes", limits.head_bytes);
  if (const toml::node* at = r.find("target_bytes"))
    return r.wrong("target_bytes", *at, target + " cannot be more than head_bytes, which is " + head);
  r.wrong("head_bytes", *r.find("head_bytes"),
          head + " cannot be less than target_bytes, which is " + target + "; write both");
}

void read_limits(const toml::table& table, Limits& out, Findings& findings) {
  TableReader r(findings, table, "limits", "limits");
  const std::size_t before = findings.problems.size();
  r.size("head_bytes", out.head_bytes, kKiB, kMiB);
  r.size("target_bytes", out.target_bytes, 64, kMiB);
  if (findings.problems.size() == before) check_target_bytes(r, out);
  r.integer("head_fields", out.head_fields, 1, 1000);
  r.size("body_bytes", out.body_bytes, 0, 1ull << 50);
  r.duration("head_timeout", out.head_timeout, milliseconds(100), hours(1));
  r.duration("idle_timeout", out.idle_timeout, milliseconds(100), hours(24));
  r.integer("sid_entries", out.sid_entries, 0, 100'000'000);
  r.refuse_unknown();
}

// A file's name, as opposed to a word: it has a slash.
void read_log_file(TableReader& r, std::string_view key, std::optional<std::string>& out) {
  std::optional<std::string> path;
  r.string(key, path);
  if (!path) return;
  if (path->find('/') == std::string::npos || path->back() == '/') {
    return r.wrong(key, *r.find(key),
                   quoted(*path) +
                       " is not a file; write a path with a \"/\": \"/var/log/limpet.log\", "
                       "\"./limpet.log\"");
  }
  out = std::move(path);
}

void read_log(const toml::table& table, Log& out, Findings& findings) {
  constexpr std::pair<std::string_view, LogLevel> kLevels[] = {{"debug", LogLevel::debug},
                                                               {"info", LogLevel::info},
                                                               {"warn", LogLevel::warn},
                                                               {"error", LogLevel::error}};
  constexpr std::pair<std::string_view, LogFormat> kFormats[] = {{"text", LogFormat::text},
                                                                 {"json", LogFormat::json}};
  constexpr std::pair<std::string_view, bool> kOnOff[] = {{"on", true}, {"off", false}};
  TableReader r(findings, table, "log", "log");
  r.choice<LogLevel>("level", out.level, kLevels);
  r.choice<LogFormat>("format", out.format, kFormats);
  r.choice<bool>("query", out.query, kOnOff);
  read_log_file(r, "file", out.file);
  if (const toml::node* node = r.find("access")) {
    if (const auto text = r.text_of("access", *node)) {
      if (*text == "on" || *text == "off") {
        out.access = *text == "on";
      } else if (text->find('/') != std::string_view::npos) {
        read_log_file(r, "access", out.access_file);
      } else {
        r.wrong("access", *node,
                quoted(*text) + " is not accepted; write \"on\", \"off\" or a file's path with a \"/\"");
      }
    }
  }
  r.refuse_unknown();
}

// Admin asks for no password.
void read_admin(const toml::table& table, Draft& draft, Findings& findings) {
  TableReader r(findings, table, "admin", "admin");
  const std::size_t before = findings.problems.size();
  Endpoint endpoint;
  r.parsed("address", endpoint, to_listen_endpoint);
  if (const toml::node* node = r.find("address"); node && findings.problems.size() == before) {
    if (const std::string why = why_not_admin(endpoint); !why.empty()) {
      r.wrong("address", *node, quoted(endpoint.text()) + why);
    } else {
      draft.config.admin = {std::move(endpoint), false};
      draft.admin = place_of(*node);
    }
  }
  r.refuse_unknown();
}

// False if the key is there and no list of tables.
bool each_table(TableReader& root, std::string_view key,
                const std::function<void(const toml::table&, std::size_t)>& then) {
  const toml::node* node = root.find(key);
  if (node == nullptr) return true;
  const toml::array* array = node->as_array();
  const bool tables = array != nullptr && std::all_of(array->begin(), array->end(),
                                                      [](const toml::node& n) { return n.is_table(); });
  if (!tables) {
    root.wrong(key, *node, "is a list of tables; write [[" + std::string(key) + "]]");
    return false;
  }
  for (std::size_t i = 0; i < array->size(); ++i) then(*array->get(i)->as_table(), i);
  return true;
}

bool is_pool_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return is_digit(c) || is_letter(c) || c == '_' || c == '-';
  });
}

bool is_pool_key(std::string_view word) {
  const auto keys = known_keys();
  return word == "cookie" || word == "health" || word == "timeouts" ||
         std::any_of(keys.begin(), keys.end(),
                     [word](const KeyDoc& each) { return each.table == "pool.NAME" && each.key == word; });
}

// Of "[pool]", "servers = ...": where the first such key stands, if there is one.
std::optional<Place> nameless_pool(const toml::table& pools) {
  std::optional<Place> first;
  for (const auto& [key, node] : pools) {
    const Place at = place_of(key);
    if (node.is_table() || !is_pool_key(key.str())) continue;
    if (!first || std::pair(at.line, at.column) < std::pair(first->line, first->column)) first = at;
  }
  return first;
}

void read_pools(TableReader& root, Draft& draft, Findings& findings) {
  const toml::table* pools = root.table("pool");
  if (pools == nullptr) return;
  const std::size_t before = findings.problems.size();
  const auto nameless = nameless_pool(*pools);
  if (nameless) findings.problem(*nameless, "pool: a pool needs a name: write [pool.ws]");
  for (const auto& [key, node] : *pools) {
    const std::string name(key.str());
    if (nameless && is_pool_key(name)) continue;
    if (!is_pool_name(name)) {
      findings.problem(place_of(key),
                       "pool: " + quoted(name) + " is not a name; 1 to 64 of A-Z a-z 0-9 _ - are accepted");
    } else if (!node.is_table()) {
      findings.problem(place_of(key), "pool." + name + ": a table is expected; write [pool." + name + "]");
    }
  }
  draft.all_pools_known = findings.problems.size() == before;
  for (const auto& [key, node] : *pools) {
    const std::string name(key.str());
    const bool good = node.is_table() && is_pool_name(name) && !(nameless && is_pool_key(name));
    if (good) read_pool(*node.as_table(), name, draft, findings);
  }
}

}  // namespace

Draft read_document(toml::table& root_table, Findings& findings) {
  Draft draft;
  TableReader root(findings, root_table, "", "");
  if (const toml::node* node = root.find("bundle")) draft.bundle = place_of(*node);
  if (const toml::table* t = root.table("bundle")) read_bundle(*t, draft.config.bundle.emplace(), findings);
  if (draft.config.bundle) {
    toml::table* const nodes = root_table["pool"][Bundle::kPool].as_table();
    if (nodes != nullptr) place_sessions(*nodes, !draft.config.bundle->command.empty());
  }
  draft.config.admin.address.kind = Endpoint::Kind::unix_socket;
  draft.config.admin.address.path = default_admin_path();
  if (const toml::table* t = root.table("proxy")) read_proxy(*t, draft, findings);
  each_table(root, "listener",
             [&](const toml::table& t, std::size_t i) { read_listener(t, i, draft, findings); });
  draft.all_routes_known = each_table(
      root, "route", [&](const toml::table& t, std::size_t i) { read_route(t, i, draft, findings); });
  read_pools(root, draft, findings);
  if (const toml::table* t = root.table("limits")) read_limits(*t, draft.config.limits, findings);
  if (const toml::table* t = root.table("log")) read_log(*t, draft.config.log, findings);
  if (const toml::table* t = root.table("admin")) read_admin(*t, draft, findings);
  if (const toml::table* t = root.table("node")) read_node(*t, draft.config, findings);
  draft.node_alone = root.has("node") && !root.has("listener") && !root.has("pool") && !root.has("route");
  root.refuse_unknown({"proxy", "listener", "route", "pool", "limits", "log", "admin", "bundle", "node"});
  return draft;
}

}  // namespace limpet::config
