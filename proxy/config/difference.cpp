#include "proxy/config/difference.h"

#include <algorithm>

namespace limpet::config {
namespace {

// Two of one table, key by key, until one differs.
template <class Table>
class Comparison {
 public:
  Comparison(std::string name, const Table& was, const Table& is, std::string& found)
      : name_(std::move(name)), was_(was), is_(is), found_(found) {}

  template <class Value>
  Comparison& key(std::string_view key, Value Table::*field) {
    if (found_.empty() && !(was_.*field == is_.*field)) found_ = name_ + "." + std::string(key);
    return *this;
  }

 private:
  const std::string name_;
  const Table& was_;
  const Table& is_;
  std::string& found_;
};

void compare(const Proxy& was, const Proxy& is, std::string& found) {
  Comparison("proxy", was, is, found)
      .key("workers", &Proxy::workers)
      .key("cpu_affinity", &Proxy::cpu_affinity)
      .key("accept_balance", &Proxy::accept_balance)
      .key("max_connections", &Proxy::max_connections)
      .key("trusted_proxies", &Proxy::trusted_proxies)
      .key("trusted_proxies", &Proxy::trust_unix)
      .key("shutdown_delay", &Proxy::shutdown_delay)
      .key("drain_timeout", &Proxy::drain_timeout)
      .key("hash_seed", &Proxy::hash_seed)
      .key("resolvers", &Proxy::resolvers)
      .key("via", &Proxy::via);
}

void compare(const Limits& was, const Limits& is, std::string& found) {
  Comparison("limits", was, is, found)
      .key("head_bytes", &Limits::head_bytes)
      .key("head_fields", &Limits::head_fields)
      .key("target_bytes", &Limits::target_bytes)
      .key("body_bytes", &Limits::body_bytes)
      .key("head_timeout", &Limits::head_timeout)
      .key("idle_timeout", &Limits::idle_timeout)
      .key("sid_entries", &Limits::sid_entries);
}

void compare(const Log& was, const Log& is, std::string& found) {
  Comparison("log", was, is, found)
      .key("level", &Log::level)
      .key("file", &Log::file)
      .key("format", &Log::format)
      .key("access", &Log::access)
      .key("access", &Log::access_file)
      .key("query", &Log::query);
}

std::string nth(std::string_view table, std::size_t index) {
  return std::string(table) + "[" + std::to_string(index) + "]";
}

void compare(const std::vector<Listener>& was, const std::vector<Listener>& is, std::string& found) {
  for (std::size_t i = 0; i < std::min(was.size(), is.size()); ++i) {
    Comparison(nth("listener", i), was[i], is[i], found)
        .key("address", &Listener::address)
        .key("ready_path", &Listener::ready_path);
  }
  if (found.empty() && was.size() != is.size()) found = nth("listener", std::min(was.size(), is.size()));
}

void compare(const std::vector<Route>& was, const std::vector<Route>& is, std::string& found) {
  for (std::size_t i = 0; i < std::min(was.size(), is.size()); ++i) {
    Comparison(nth("route", i), was[i], is[i], found)
        .key("hosts", &Route::hosts)
        .key("path", &Route::path)
        .key("pool", &Route::pool);
  }
  if (found.empty() && was.size() != is.size()) found = nth("route", std::min(was.size(), is.size()));
}

void compare(const std::optional<Bundle>& was, const std::optional<Bundle>& is, std::string& found) {
  if (was && is) {
    Comparison("bundle", *was, *is, found)
        .key("nodes", &Bundle::nodes)
        .key("redis", &Bundle::redis)
        .key("adapter", &Bundle::adapter)
        .key("command", &Bundle::command)
        .key("ports", &Bundle::ports)
        .key("environment", &Bundle::environment);
  } else if (found.empty() && was.has_value() != is.has_value()) {
    found = "bundle";
  }
}

void compare(const std::string& name, const Cookie& was, const Cookie& is, std::string& found) {
  Comparison(name, was, is, found)
      .key("mode", &Cookie::mode)
      .key("on", &Cookie::on)
      .key("name", &Cookie::name)
      .key("path", &Cookie::path)
      .key("domain", &Cookie::domain)
      .key("same_site", &Cookie::same_site)
      .key("secure", &Cookie::secure)
      .key("http_only", &Cookie::http_only)
      .key("max_age", &Cookie::max_age)
      .key("partitioned", &Cookie::partitioned);
}

void compare(const std::string& name, const Health& was, const Health& is, std::string& found) {
  Comparison(name, was, is, found)
      .key("type", &Health::type)
      .key("path", &Health::path)
      .key("method", &Health::method)
      .key("host", &Health::host)
      .key("headers", &Health::headers)
      .key("expect", &Health::expect)
      .key("body", &Health::body)
      .key("interval", &Health::interval)
      .key("fast_interval", &Health::fast_interval)
      .key("timeout", &Health::timeout)
      .key("jitter", &Health::jitter)
      .key("rise", &Health::rise)
      .key("fall", &Health::fall)
      .key("port", &Health::port)
      .key("slow_start", &Health::slow_start)
      .key("on_down", &Health::on_down);
}

void compare(const std::string& name, const Timeouts& was, const Timeouts& is, std::string& found) {
  Comparison(name, was, is, found)
      .key("connect", &Timeouts::connect)
      .key("handshake", &Timeouts::handshake)
      .key("response", &Timeouts::response)
      .key("tunnel_idle", &Timeouts::tunnel_idle)
      .key("keep_alive", &Timeouts::keep_alive);
}

void compare(const Pool& was, const Pool& is, std::string& found) {
  const std::string name = "pool." + was.name;
  if (was.name != is.name) found = found.empty() ? name : found;
  Comparison(name, was, is, found)
      .key("balance", &Pool::balance)  // before what its default decides
      .key("engineio", &Pool::engineio)
      .key("affinity", &Pool::affinity)
      .key("bounded_load", &Pool::bounded_load)
      .key("on_lost", &Pool::on_lost)
      .key("max_connections", &Pool::max_connections)
      .key("source_addresses", &Pool::source_addresses)
      .key("fast_open", &Pool::fast_open);
  compare(name + ".cookie", was.cookie, is.cookie, found);
  compare(name + ".health", was.health, is.health, found);
  compare(name + ".timeouts", was.timeouts, is.timeouts, found);
}

// The first that goes or has another name; else the first that comes. Pools stand in the order of their
// names.
void compare_names(const std::vector<Pool>& was, const std::vector<Pool>& is, std::string& found) {
  for (const Pool& each : was) {
    const auto same = [&](const Pool& other) { return other.name == each.name; };
    if (found.empty() && std::none_of(is.begin(), is.end(), same)) found = "pool." + each.name;
  }
  for (std::size_t i = 0; found.empty() && i < is.size(); ++i) {
    if (i >= was.size() || was[i].name != is[i].name) found = "pool." + is[i].name;
  }
}

void compare(const std::vector<Pool>& was, const std::vector<Pool>& is, std::string& found) {
  for (std::size_t i = 0; found.empty() && i < is.size(); ++i) compare(was[i], is[i], found);
}

// What the comparison by keys might have left out counts, too.
bool same_but_for_servers(const Config& was, Config is) {
  is.file = was.file;
  is.node = was.node;
  for (std::size_t i = 0; i < std::min(was.pools.size(), is.pools.size()); ++i) {
    is.pools[i].servers = was.pools[i].servers;
    is.pools[i].names = was.pools[i].names;
  }
  return is == was;
}

}  // namespace

std::optional<std::string> first_difference(const Config& was, const Config& other) {
  Config is = other;
  is.proxy.cpu_affinity.line = was.proxy.cpu_affinity.line;  // where it stands says nothing
  is.proxy.cpu_affinity.column = was.proxy.cpu_affinity.column;
  std::string found;
  compare(was.proxy, is.proxy, found);
  compare(was.listeners, is.listeners, found);
  compare(was.limits, is.limits, found);
  compare(was.log, is.log, found);
  if (found.empty() && !(was.admin == is.admin)) found = "admin.address";
  compare(was.bundle, is.bundle, found);
  // A pool that comes, goes or is renamed first: the routes to it follow from that.
  compare_names(was.pools, is.pools, found);
  compare(was.routes, is.routes, found);
  compare(was.pools, is.pools, found);
  if (found.empty() && !same_but_for_servers(was, std::move(is))) found = "the file";
  if (found.empty()) return std::nullopt;
  return found;
}

namespace {

const Server* find(const std::vector<Server>& servers, const std::string& id) {
  const auto found = std::ranges::find(servers, id, &Server::id);
  return found == servers.end() ? nullptr : &*found;
}

std::string changes(const Server& was, const Server& is) {
  std::string out;
  const auto add = [&out](bool differs, const std::string& text) {
    if (differs) out += (out.empty() ? "" : ", ") + text;
  };
  add(was.address != is.address, "address " + is.address.text());
  add(was.weight != is.weight, "weight " + std::to_string(is.weight));
  add(was.max_connections != is.max_connections, "max_connections " + std::to_string(is.max_connections));
  add(was.backup != is.backup, is.backup ? "backup" : "no backup");
  return out;
}

// Of many the first.
struct Ids {
  std::string text;
  std::size_t more = 0;
  void add(const std::string& id) {
    constexpr std::size_t kMostBytes = 400;
    if (text.size() > kMostBytes) {
      ++more;
      return;
    }
    text += (text.empty() ? "" : ", ") + id;
  }
};

struct Changes {
  Ids added, removed, changed;

  void look(const std::vector<Server>& was, const std::vector<Server>& is) {
    for (const Server& each : is) {
      const Server* const before = find(was, each.id);
      if (before == nullptr) {
        added.add(each.id);
      } else if (const std::string what = changes(*before, each); !what.empty()) {
        changed.add(each.id + " (" + what + ")");
      }
    }
    for (const Server& each : was) {
      if (find(is, each.id) == nullptr) removed.add(each.id);
    }
  }
};

}  // namespace

std::string describe_servers(const Pool& was, const Pool& is) {
  Changes all;
  all.look(was.names, is.names);
  all.look(was.servers, is.servers);
  std::string out;
  const auto part = [&out](std::string_view verb, const Ids& ids) {
    if (ids.text.empty()) return;
    out += (out.empty() ? "" : "; ") + std::string(verb) + " " + ids.text;
    if (ids.more != 0) out += " and " + std::to_string(ids.more) + " more";
  };
  part("added", all.added);
  part("removed", all.removed);
  part("changed", all.changed);
  return out;
}

std::string describe_servers(const Config& was, const Config& is) {
  std::string out;
  for (const Pool& pool : is.pools) {
    const Pool* const before = was.find_pool(pool.name);
    const std::string what = before != nullptr ? describe_servers(*before, pool) : std::string();
    if (!what.empty()) out += (out.empty() ? "pool " : "; pool ") + pool.name + ": " + what;
  }
  return out;
}

}  // namespace limpet::config
