#include "proxy/config/derive.h"

#include <toml++/toml.h>

#include <sstream>

#include "proxy/config/read.h"
#include "proxy/config/values.h"

namespace limpet::config {
namespace {

toml::table& table_in(toml::table& parent, std::string_view key) {
  parent.insert(key, toml::table{});  // unless it is there
  return *parent[key].as_table();
}

std::string written(const toml::table& document) {
  std::ostringstream out;
  out << document << '\n';
  return out.str();
}

// Lines go to whoever started it, who sees to the file.
void log_to_standard_error(toml::table& document) {
  if (toml::table* log = document["log"].as_table()) log->erase("file");
}

}  // namespace

void place_sessions(toml::table& pool, bool cookie) {
  if (pool.contains("balance") || pool["engineio"].value_or(true) == false) return;
  if (const toml::array* affinity = pool["affinity"].as_array()) {
    for (const toml::node& each : *affinity) {
      if (each.value_or(std::string_view()) == "source") return;  // that leaves nothing to balance
    }
  }
  pool.insert("balance", "least_connections");
  const toml::table* wanted = pool["cookie"].as_table();
  const bool off = wanted != nullptr && (*wanted)["mode"].value_or(std::string_view()) == "off";
  cookie = (cookie || wanted != nullptr) && !off;
  pool.insert("affinity", cookie ? toml::array{"sid", "cookie"} : toml::array{"sid"});
}

std::string proxy_document(std::string_view owners, const BundleProxy& bundle) {
  toml::table document = toml::parse(owners);
  document.erase("bundle");
  document.erase("node");
  log_to_standard_error(document);
  if (bundle.quiet) table_in(document, "log").insert("access", "off");
  table_in(document, "proxy").insert_or_assign("drain_timeout", duration_text(bundle.drain_timeout));
  table_in(document, "admin").insert_or_assign("address", bundle.admin);
  const toml::array* listeners = document["listener"].as_array();
  if (listeners == nullptr || listeners->empty())
    document.insert_or_assign("listener", toml::array{toml::table{{"address", bundle.listener}}});

  toml::table& pool = table_in(table_in(document, "pool"), Bundle::kPool);
  toml::array servers;
  for (const auto& [id, address] : bundle.servers) servers.push_back(id + "=" + address);
  pool.insert_or_assign("servers", std::move(servers));
  place_sessions(pool, bundle.cookie);
  return written(document);
}

std::string node_document(std::string_view owners, std::string_view redis, BundleAdapter adapter) {
  toml::table document = toml::parse(owners);
  toml::table out;
  for (const std::string_view key : {"limits", "log", "node"}) {
    if (const toml::table* table = document[key].as_table()) out.insert(key, *table);
  }
  log_to_standard_error(out);
  toml::table& node = table_in(out, "node");
  if (!redis.empty()) {
    node.insert_or_assign("redis", redis);
    node.insert_or_assign("adapter", adapter == BundleAdapter::redis ? "redis" : "redis_streams");
  }
  return written(out);
}

}  // namespace limpet::config
