#include "proxy/config/derive.h"

#include <toml++/toml.h>

#include <sstream>

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

std::string proxy_document(std::string_view owners, const BundleProxy& bundle) {
  toml::table document = toml::parse(owners);
  document.erase("bundle");
  document.erase("node");
  log_to_standard_error(document);
  if (bundle.quiet) table_in(document, "log").insert("access", "off");
  table_in(document, "proxy").insert_or_assign("drain_timeout", duration_text(bundle.drain_timeout));
  table_in(document, "admin").insert_or_assign("address", bundle.admin);
  if (!document.contains("listener"))
    document.insert("listener", toml::array{toml::table{{"address", bundle.listener}}});

  toml::table& pool = table_in(table_in(document, "pool"), Bundle::kPool);
  toml::array servers;
  for (const auto& [id, address] : bundle.servers) servers.push_back(id + "=" + address);
  pool.insert_or_assign("servers", std::move(servers));
  // Sids hold sessions: visitors of one address, and two tabs of one browser, spread over all nodes.
  if (!pool.contains("balance")) {
    pool.insert("balance", "least_connections");
    pool.insert("affinity",
                bundle.cookie || pool.contains("cookie") ? toml::array{"sid", "cookie"} : toml::array{"sid"});
  }
  return written(document);
}

std::string node_document(std::string_view owners) {
  toml::table document = toml::parse(owners);
  toml::table out;
  for (const std::string_view key : {"limits", "log", "node"}) {
    if (const toml::table* table = document[key].as_table()) out.insert(key, *table);
  }
  log_to_standard_error(out);
  table_in(out, "node");
  return written(out);
}

}  // namespace limpet::config
