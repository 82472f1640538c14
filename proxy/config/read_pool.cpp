// One pool: its servers, affinity, cookie, health and timeouts.
#include <algorithm>

#include "proxy/config/read.h"

namespace limpet::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::pair<std::string_view, AffinityKind> kAffinity[] = {
    {"sid", AffinityKind::sid}, {"cookie", AffinityKind::cookie}, {"source", AffinityKind::source}};
constexpr std::pair<std::string_view, Balance> kBalance[] = {
    {"source", Balance::source},
    {"least_connections", Balance::least_connections},
    {"round_robin", Balance::round_robin},
    {"random_two", Balance::random_two}};
constexpr std::pair<std::string_view, OnLost> kOnLost[] = {{"redispatch", OnLost::redispatch},
                                                           {"strict", OnLost::strict}};
constexpr std::pair<std::string_view, CookieMode> kModes[] = {{"insert", CookieMode::insert},
                                                              {"passive", CookieMode::passive},
                                                              {"rewrite", CookieMode::rewrite},
                                                              {"off", CookieMode::off}};
constexpr std::pair<std::string_view, CookieOn> kOn[] = {{"session", CookieOn::session},
                                                         {"all", CookieOn::all}};
constexpr std::pair<std::string_view, SameSite> kSameSite[] = {
    {"lax", SameSite::lax}, {"strict", SameSite::strict}, {"none", SameSite::none}};
constexpr std::pair<std::string_view, HealthType> kTypes[] = {
    {"http", HealthType::http}, {"tcp", HealthType::tcp}, {"off", HealthType::off}};
constexpr std::pair<std::string_view, OnDown> kOnDown[] = {{"keep", OnDown::keep}, {"close", OnDown::close}};

// --- servers ---

// An address that is its own id: without an IPv6 address's brackets.
std::optional<std::string> own_id(const Endpoint& address) {
  if (address.kind == Endpoint::Kind::unix_socket) return std::nullopt;
  return address.host + ":" + std::to_string(address.port);
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

bool read_server_text(TableReader& r, const toml::node& at, std::string_view text, Server& out) {
  const std::size_t equals = text.find('=');
  const bool named = equals != std::string_view::npos;
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

bool read_server_table(const toml::table& table, const std::string& path, Server& out, Findings& findings) {
  TableReader r(findings, table, "pool.NAME.servers", path);
  const std::size_t before = findings.problems.size();
  const toml::node* address = r.find("address");
  if (address == nullptr) {
    findings.problem(r.place(), path + ": address is missing; write address = \"10.0.1.1:3000\"");
  } else if (const auto text = r.text_of("address", *address)) {
    read_address(r, "address", *address, *text, out.address);
  }
  r.parsed("id", out.id, to_server_id);
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

void read_servers(TableReader& r, Pool& pool, PoolPlaces& places, Findings& findings) {
  const toml::node* node = r.find("servers");
  const toml::array* array = node ? node->as_array() : nullptr;
  if (node != nullptr && array == nullptr) {
    return r.wrong("servers", *node, "an array is expected; write servers = [\"ws1=10.0.1.1:3000\"]");
  }
  if (array == nullptr || array->empty()) {
    return findings.problem(node ? place_of(*node) : r.place(),
                            r.path() + ": has no server; write servers = [\"ws1=10.0.1.1:3000\"]");
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& item = *array->get(i);
    Server server;
    bool good = false;
    if (const auto* text = item.as_string()) {
      good = read_server_text(r, item, text->get(), server);
    } else if (const toml::table* table = item.as_table()) {
      good = read_server_table(*table, r.path() + ".servers[" + std::to_string(i) + "]", server, findings);
    } else {
      r.wrong("servers", item, "a server is \"id=address\", \"address\" or a table with address");
    }
    if (!good) continue;
    pool.servers.push_back(std::move(server));
    places.servers.push_back(place_of(item));
  }
}

// --- affinity ---

void read_affinity(TableReader& r, Pool& pool, PoolPlaces& places) {
  r.choice<Balance>("balance", pool.balance, kBalance);
  places.affinity_set = r.has("affinity");
  r.strings("affinity", [&](std::string_view text, const toml::node& node) {
    for (const auto& [word, kind] : kAffinity) {
      if (word != text) continue;
      if (pool.uses(kind)) return r.wrong("affinity", node, quoted(text) + " stands there twice");
      pool.affinity.push_back(kind);
      return;
    }
    r.wrong("affinity", node, quoted(text) + " is not accepted; write \"sid\", \"cookie\" or \"source\"");
  });
  if (!places.affinity_set) {
    pool.affinity = {AffinityKind::sid, AffinityKind::cookie};
    if (pool.balance == Balance::source) pool.affinity.push_back(AffinityKind::source);
  } else if (pool.uses(AffinityKind::source) && pool.balance != Balance::source) {
    r.wrong(
        "affinity", *r.find("affinity"),
        "\"source\" holds every client that has an address, so that balance would have nothing to do; leave "
        "\"source\" or balance out");
  }
  if (const toml::node* node = r.find("bounded_load")) {
    if (node->is_string()) {
      const std::string_view text = node->as_string()->get();
      if (text == "off") {
        pool.bounded_load.reset();
      } else {
        r.wrong("bounded_load", *node,
                quoted(text) + " is not accepted; write a number from 1 to 10, or \"off\"");
      }
    } else {
      double factor = *pool.bounded_load;
      r.number("bounded_load", factor, 1.0, 10.0);
      pool.bounded_load = factor;
    }
  }
}

void read_cookie(const toml::table& table, Pool& pool, PoolPlaces& places, Findings& findings) {
  TableReader r(findings, table, "pool.NAME.cookie", "pool." + pool.name + ".cookie");
  Cookie& out = pool.cookie;
  places.cookie = r.place();
  r.choice<CookieMode>("mode", out.mode, kModes);
  r.choice<CookieOn>("on", out.on, kOn);
  r.parsed("name", out.name, to_token);
  r.parsed("path", out.path, to_prefix);
  if (out.path.find(';') != std::string::npos)
    r.wrong("path", *r.find("path"), "a cookie's path has no \";\"");
  r.parsed("domain", out.domain, to_host_pattern);
  if (out.domain && out.domain->starts_with("*.")) {
    r.wrong("domain", *r.find("domain"),
            "a cookie's domain holds for its sub-domains anyway; leave the \"*.\" out");
  }
  r.choice<SameSite>("same_site", out.same_site, kSameSite);
  if (const toml::node* node = r.find("secure")) {
    if (const auto* value = node->as_boolean()) {
      out.secure = value->get() ? Secure::yes : Secure::no;
    } else if (!node->is_string() || node->as_string()->get() != "auto") {
      r.wrong("secure", *node, "true, false or \"auto\" is expected");
    }
  }
  r.boolean("http_only", out.http_only);
  r.boolean("partitioned", out.partitioned);
  if (r.has("max_age")) {
    Duration age{0};
    r.duration("max_age", age, seconds(1));
    if (age.count() % 1000 != 0)
      r.wrong("max_age", *r.find("max_age"), "a cookie's age counts in whole seconds");
    if (age.count() > 0) out.max_age = std::chrono::duration_cast<seconds>(age);
  }
  r.refuse_unknown();
  if (out.same_site == SameSite::none && out.secure != Secure::yes) {
    r.wrong("same_site", *r.find("same_site"),
            "\"none\" needs secure = true: browsers drop such a cookie otherwise");
  }
  if (out.partitioned && out.secure != Secure::yes) {
    r.wrong("partitioned", *r.find("partitioned"),
            "needs secure = true: browsers drop such a cookie otherwise");
  }
  places.cookie_mode_off = out.mode == CookieMode::off;
  if (places.cookie_mode_off) {
    for (const auto& [key, node] : table) {
      if (key.str() != "mode") r.wrong(key.str(), node, "has no effect with mode = \"off\"; leave it out");
    }
  }
}

// mode = "off" takes the cookie out of the default affinity, and contradicts one that names it.
void settle_cookie(TableReader& r, Pool& pool, const PoolPlaces& places) {
  if (!places.cookie_mode_off) return;
  if (places.affinity_set && pool.uses(AffinityKind::cookie)) {
    return r.wrong("affinity", *r.find("affinity"),
                   "\"cookie\" needs a cookie, but [" + r.path() +
                       ".cookie] has mode = "
                       "\"off\"");
  }
  std::erase(pool.affinity, AffinityKind::cookie);
}

// --- health and timeouts ---

void read_expect(TableReader& r, Health& out) {
  const toml::node* node = r.find("expect");
  if (node == nullptr) return;
  out.expect.clear();
  const auto add = [&](const toml::node& item) {
    std::pair<std::uint16_t, std::uint16_t> range;
    if (const auto* number = item.as_integer()) {
      r.accept("expect", item, to_status_range(std::to_string(number->get())), range);
    } else if (const auto* text = item.as_string()) {
      r.accept("expect", item, to_status_range(text->get()), range);
    } else {
      r.wrong("expect", item, "a status is expected: 200, or \"200-299\"");
    }
    out.expect.push_back(range);
  };
  if (const toml::array* array = node->as_array()) {
    for (const toml::node& item : *array) add(item);
    if (array->empty()) r.wrong("expect", *node, "no status would do; write 200 or [200, \"300-399\"]");
  } else {
    add(*node);
  }
}

void read_health_headers(TableReader& r, Health& out) {
  constexpr std::string_view kOurs[] = {"host", "connection", "content-length", "transfer-encoding"};
  const toml::table* headers = r.table("headers");
  if (headers == nullptr) return;
  for (const auto& [key, node] : *headers) {
    const std::string_view name = key.str();
    const auto* value = node.as_string();
    const bool ours = std::any_of(std::begin(kOurs), std::end(kOurs),
                                  [name](std::string_view each) { return wire_equal(each, name); });
    if (std::holds_alternative<Wrong>(to_token(name))) {
      r.wrong("headers", node, quoted(name) + " is not a field's name");
    } else if (ours) {
      r.wrong("headers", node, quoted(name) + " is set by limpet; for Host there is health.host");
    } else if (value == nullptr || !is_field_value(value->get())) {
      r.wrong("headers", node, quoted(name) + ": a string without control characters is expected");
    } else {
      out.headers.emplace_back(name, value->get());
    }
  }
}

void read_health(const toml::table& table, Pool& pool, Findings& findings) {
  TableReader r(findings, table, "pool.NAME.health", "pool." + pool.name + ".health");
  Health& out = pool.health;
  r.choice<HealthType>("type", out.type, kTypes);
  std::string path = out.path;
  r.string("path", path);
  const bool clean =
      std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!path.starts_with('/') || !clean) {
    r.wrong("path", *r.find("path"),
            quoted(path) + " is not a path; it begins with \"/\" and has no space or \"#\"");
  } else {
    out.path = path;
  }
  r.parsed("method", out.method, to_token);
  r.string("host", out.host);
  if (out.host && !is_authority(*out.host))
    r.wrong("host", *r.find("host"), quoted(*out.host) + " is not a host, with or without a port");
  read_health_headers(r, out);
  read_expect(r, out);
  r.string("body", out.body);
  r.duration("interval", out.interval, milliseconds(10), hours(24));
  r.duration("fast_interval", out.fast_interval, milliseconds(10), hours(24));
  r.duration("timeout", out.timeout, milliseconds(10), hours(1));
  r.number("jitter", out.jitter, 0.0, 0.5);
  r.integer("rise", out.rise, 1, 100);
  r.integer("fall", out.fall, 1, 100);
  r.duration("slow_start", out.slow_start, seconds(0), hours(24));
  r.choice<OnDown>("on_down", out.on_down, kOnDown);
  if (r.has("port")) {
    std::uint16_t port = 0;
    r.integer("port", port, 1, 65535);
    if (port != 0) out.port = port;
  }
  r.refuse_unknown();
  if (out.fast_interval > out.interval) {
    const toml::node* at = r.find("fast_interval") ? r.find("fast_interval") : r.find("interval");
    r.wrong("fast_interval", *at, "cannot be longer than interval");
  }
}

void read_timeouts(const toml::table& table, Pool& pool, Findings& findings) {
  TableReader r(findings, table, "pool.NAME.timeouts", "pool." + pool.name + ".timeouts");
  Timeouts& out = pool.timeouts;
  r.duration("connect", out.connect, milliseconds(10), hours(1));
  r.duration("handshake", out.handshake, milliseconds(10), hours(1));
  r.duration("response", out.response, milliseconds(10), hours(24));
  r.duration("tunnel_idle", out.tunnel_idle, seconds(1));
  r.duration("keep_alive", out.keep_alive, seconds(0), hours(1));
  r.refuse_unknown();
}

}  // namespace

void read_pool(const toml::table& table, const std::string& name, Draft& draft, Findings& findings) {
  TableReader r(findings, table, "pool.NAME", "pool." + name);
  Pool pool;
  PoolPlaces places;
  pool.name = name;
  places.pool = places.cookie = r.place();
  read_servers(r, pool, places, findings);
  read_affinity(r, pool, places);
  r.choice<OnLost>("on_lost", pool.on_lost, kOnLost);
  r.integer("max_connections", pool.max_connections, 0, 100'000'000);
  r.boolean("engineio", pool.engineio);
  r.strings("source_addresses", [&](std::string_view text, const toml::node& node) {
    if (const auto ip = wire::IpAddress::parse(text)) {
      pool.source_addresses.push_back(*ip);
    } else {
      r.wrong("source_addresses", node,
              quoted(text) + " is not an address of this machine; write \"10.0.0.5\" or \"fd00::5\"");
    }
  });
  if (const toml::table* t = r.table("cookie")) read_cookie(*t, pool, places, findings);
  if (const toml::table* t = r.table("health")) read_health(*t, pool, findings);
  if (const toml::table* t = r.table("timeouts")) read_timeouts(*t, pool, findings);
  settle_cookie(r, pool, places);
  r.refuse_unknown({"cookie", "health", "timeouts"});
  draft.config.pools.push_back(std::move(pool));
  draft.pools.push_back(std::move(places));
}

}  // namespace limpet::config
