// The servers of a pool: texts and tables.
#include "proxy/config/read.h"

namespace limpet::config {
namespace {

// An address that is its own id: without an IPv6 address's brackets.
std::optional<std::string> own_id(const Endpoint& address) {
  if (address.kind == Endpoint::Kind::unix_socket) return std::nullopt;
  return address.host + ":" + std::to_string(address.port);
}

bool is_dns(std::string_view address) {
  return address.starts_with("dns:");
}

// What an entry of the list is.
struct Entry {
  Server server;
  bool name = false;  // "dns:": a server an address
};

// Its servers' ids are their addresses; its own is what is written, for messages.
bool read_name(TableReader& r, std::string_view key, const toml::node& at, std::string_view text,
               Entry& out) {
  out.name = true;
  Value<Endpoint> value = to_dns_name(text);
  if (const auto* bad = std::get_if<Wrong>(&value)) {
    r.wrong(key, at, bad->why);
    return false;
  }
  out.server.address = std::move(std::get<Endpoint>(value));
  out.server.id = "dns:" + out.server.address.text();
  return true;
}

std::string no_id_for(std::string_view name) {
  return quoted(name) +
         " is a server for each of its addresses, whose ids are ADDRESS:PORT; leave the id out";
}

bool read_address(TableReader& r, std::string_view key, const toml::node& at, std::string_view text,
                  Endpoint& out) {
  Value<Endpoint> value = to_endpoint(text);
  if (const auto* good = std::get_if<Endpoint>(&value); good && good->port == 0 && good->path.empty()) {
    value = Wrong{quoted(text) + ": port 0 is no server's; ports are 1 to 65535"};
  }
  if (auto* bad = std::get_if<Wrong>(&value)) {
    r.wrong(key, at, bad->why);
    return false;
  }
  out = std::get<Endpoint>(value);
  return true;
}

bool read_server_text(TableReader& r, const toml::node& at, std::string_view text, Entry& entry) {
  Server& out = entry.server;
  const std::size_t equals = text.find('=');
  const bool named = equals != std::string_view::npos;
  if (named && is_dns(text.substr(equals + 1))) {
    r.wrong("servers", at, no_id_for(text.substr(equals + 1)));
    return false;
  }
  if (!named && is_dns(text)) return read_name(r, "servers", at, text, entry);
  if (!read_address(r, "servers", at, named ? text.substr(equals + 1) : text, out.address)) return false;
  const auto id = named ? std::optional(std::string(text.substr(0, equals))) : own_id(out.address);
  if (!id) {
    r.wrong("servers", at,
            quoted(text) + ": a Unix socket needs an id; write \"ws1=" + std::string(text) + "\"");
    return false;
  }
  const Value<std::string> value = to_server_id(*id);
  if (const auto* bad = std::get_if<Wrong>(&value)) {
    r.wrong("servers", at, bad->why);
    return false;
  }
  out.id = *id;
  return true;
}

bool read_server_table(const toml::table& table, const std::string& path, Entry& entry, Findings& findings) {
  Server& out = entry.server;
  TableReader r(findings, table, "pool.NAME.servers", path);
  const std::size_t before = findings.problems.size();
  const toml::node* address = r.find("address");
  if (address == nullptr) {
    findings.problem(r.place(), path + ": address is missing; write address = \"10.0.1.1:3000\"");
  } else if (const auto text = r.text_of("address", *address)) {
    if (is_dns(*text)) {
      read_name(r, "address", *address, *text, entry);
      if (const toml::node* id = r.find("id")) r.wrong("id", *id, no_id_for(*text));
    } else {
      read_address(r, "address", *address, *text, out.address);
    }
  }
  if (!entry.name) r.parsed("id", out.id, to_server_id);
  r.integer("weight", out.weight, 0, 1000);
  r.integer("max_connections", out.max_connections, 0, 100'000'000);
  out.max_connections_set = r.has("max_connections");
  r.boolean("backup", out.backup);
  r.refuse_unknown();
  if (findings.problems.size() != before) return false;
  if (!out.id.empty()) return true;
  const auto id = own_id(out.address);
  if (id) out.id = *id;
  if (!id) findings.problem(r.place(), path + ": a Unix socket needs an id; write id = \"ws1\"");
  return id.has_value();
}

}  // namespace

void read_servers(TableReader& r, Pool& pool, PoolPlaces& places, Findings& findings) {
  const toml::node* node = r.find("servers");
  const toml::array* array = node ? node->as_array() : nullptr;
  places.server_list = node ? place_of(*node) : r.place();
  if (node != nullptr && array == nullptr) {
    return r.wrong("servers", *node, "an array is expected; write servers = [\"ws1=10.0.1.1:3000\"]");
  }
  if (array == nullptr || array->empty()) {
    return findings.problem(places.server_list,
                            r.path() + ": has no server; write servers = [\"ws1=10.0.1.1:3000\"]");
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& item = *array->get(i);
    Entry entry;
    bool good = false;
    if (const auto* text = item.as_string()) {
      good = read_server_text(r, item, text->get(), entry);
    } else if (const toml::table* table = item.as_table()) {
      good = read_server_table(*table, r.path() + ".servers[" + std::to_string(i) + "]", entry, findings);
    } else {
      r.wrong("servers", item, "a server is \"id=address\", \"address\" or a table with address");
    }
    if (!good) continue;
    (entry.name ? pool.names : pool.servers).push_back(std::move(entry.server));
    (entry.name ? places.names : places.servers).push_back(place_of(item));
  }
}

}  // namespace limpet::config
