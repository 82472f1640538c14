// Two files, one after the other: the key that forbids a reload, and what a reload has changed.
#include "proxy/config/difference.h"

#include <gtest/gtest.h>

#include "proxy/config/load.h"

namespace limpet::config {
namespace {

std::shared_ptr<const Config> read(const std::string& text) {
  Loaded loaded = load_text(text, "f");
  EXPECT_TRUE(loaded.problems.empty()) << text << loaded.problems[0].message;
  return loaded.config;
}

constexpr std::string_view kBase = R"([[listener]]
address = "127.0.0.1:80"
[[listener]]
address = "127.0.0.1:81"
[admin]
address = "unix:/run/a.sock"
)";
constexpr std::string_view kPool = "[pool.ws]\nservers = [\"a=127.0.0.1:1\", \"b=127.0.0.1:2\"]\n";

std::string base(const std::string& more = {}) {
  return std::string(kBase) + std::string(kPool) + more;
}
std::string between(const std::string& was, const std::string& is) {
  return first_difference(*read(was), *read(is)).value_or("nothing");
}

TEST(Difference, ServersOfPoolsMayDiffer) {
  EXPECT_EQ(between(base(), base()), "nothing");
  EXPECT_EQ(between(base(), std::string(kBase) + R"([pool.ws]
servers = [{ id = "b", address = "127.0.0.1:3", weight = 7, max_connections = 10, backup = true }, "c=unix:/c"]
)"),
            "nothing");
}

TEST(Difference, NamesOfPoolsMayDiffer) {
  const std::string is = std::string(kBase) + "[pool.ws]\nservers = [\"dns:x:1\", \"a=127.0.0.1:1\"]\n";
  EXPECT_EQ(between(base(), is), "nothing");
  EXPECT_EQ(between(is, base()), "nothing");
  EXPECT_EQ(describe_servers(read(base())->pools[0], read(is)->pools[0]), "added dns:x:1; removed b");
}

TEST(Difference, WhereAKeyStandsSaysNothing) {
  EXPECT_EQ(between(base("[proxy]\ncpu_affinity = [0]\n"), "\n\n" + base("\n[proxy]\ncpu_affinity =  [0]\n")),
            "nothing");
}

TEST(Difference, ANodesSettingsAreAnotherProcess) {
  EXPECT_EQ(between(base(), base("[node]\nping_interval = \"3s\"\n")), "nothing");
}

TEST(Difference, EachKeyIsNamed) {
  const std::pair<const char*, const char*> more[] = {
      {"proxy.workers", "[proxy]\nworkers = 3"},
      {"proxy.cpu_affinity", "[proxy]\ncpu_affinity = [0]"},
      {"proxy.max_connections", "[proxy]\nmax_connections = 3"},
      {"proxy.trusted_proxies", "[proxy]\ntrusted_proxies = [\"10.0.0.0/8\"]"},
      {"proxy.trusted_proxies", "[proxy]\ntrusted_proxies = [\"unix:\"]"},
      {"proxy.shutdown_delay", "[proxy]\nshutdown_delay = \"1s\""},
      {"proxy.drain_timeout", "[proxy]\ndrain_timeout = \"1s\""},
      {"proxy.hash_seed", "[proxy]\nhash_seed = \"x\""},
      {"proxy.resolvers", "[proxy]\nresolvers = [\"127.0.0.1:53\"]"},
      {"proxy.via", "[proxy]\nvia = true"},
      {"limits.head_bytes", "[limits]\nhead_bytes = \"32KiB\""},
      {"limits.idle_timeout", "[limits]\nidle_timeout = \"60s\""},
      {"limits.sid_entries", "[limits]\nsid_entries = 10"},
      {"log.level", "[log]\nlevel = \"debug\""},
      {"log.access", "[log]\naccess = \"off\""},
      {"log.access", "[log]\naccess = \"/tmp/x\""},
      {"pool.ws.balance", "balance = \"round_robin\""},
      {"pool.ws.affinity", "affinity = [\"sid\"]"},
      {"pool.ws.engineio", "engineio = false"},
      {"pool.ws.bounded_load", "bounded_load = 2.0"},
      {"pool.ws.on_lost", "on_lost = \"strict\""},
      {"pool.ws.max_connections", "max_connections = 9"},
      {"pool.ws.fast_open", "fast_open = true"},
      {"pool.ws.cookie.name", "cookie = { name = \"x\" }"},
      {"pool.ws.cookie.max_age", "cookie = { max_age = \"1h\" }"},
      {"pool.ws.health.path", "health = { path = \"/up\" }"},
      {"pool.ws.health.on_down", "health = { on_down = \"close\" }"},
      {"pool.ws.timeouts.connect", "timeouts = { connect = \"3s\" }"},
  };
  for (const auto& [key, text] : more) {
    EXPECT_EQ(between(base(), base(text)), key);
    EXPECT_EQ(between(base(text), base()), key);
  }
}

TEST(Difference, ListenersAndRoutesAreCounted) {
  std::string other = base();
  other.replace(other.find(":81"), 3, ":82");
  EXPECT_EQ(between(base(), other), "listener[1].address");
  EXPECT_EQ(between(base(), base("[[listener]]\naddress = \"127.0.0.1:83\"")), "listener[2]");
  EXPECT_EQ(between(base(), base("[[route]]\npath = \"/x\"\npool = \"ws\"")), "route[0].path");
  EXPECT_EQ(between(base("[[route]]\npath = \"/x\"\npool = \"ws\""),
                    base("[[route]]\npath = \"/x\"\npool = \"ws\"\n[[route]]\npool = \"ws\"")),
            "route[1]");
  std::string admin = base();
  admin.replace(admin.find("a.sock"), 6, "b.sock");
  EXPECT_EQ(between(base(), admin), "admin.address");
}

TEST(Difference, PoolsThatComeOrGoAreNamed) {
  const std::string two = base("[pool.web]\nservers = [\"c=127.0.0.1:3\"]\ncookie = { name = \"web\" }\n") +
                          "[[route]]\npath = \"/x\"\npool = \"web\"\n[[route]]\npool = \"ws\"\n";
  EXPECT_EQ(between(base(), two), "pool.web");
  EXPECT_EQ(between(two, base()), "pool.web");
}

TEST(Difference, APoolWithAnotherNameIsNamedAndNotItsRoutes) {
  std::string other = base();
  other.replace(other.find("[pool.ws]"), 9, "[pool.web]");
  EXPECT_EQ(between(base(), other), "pool.ws") << "the file has no route";
  const std::string route = "[[route]]\npath = \"/x\"\npool = ";
  EXPECT_EQ(between(base(route + "\"ws\""), other + route + "\"web\""), "pool.ws");
}

TEST(Difference, ABundleIsComparedByKey) {
  const std::string two = std::string(kBase) + "[bundle]\nnodes = 2";
  EXPECT_EQ(between(two, std::string(kBase) + "[bundle]\nnodes = 3"), "bundle.nodes");
  EXPECT_EQ(between(two, two + "\nadapter = \"redis\""), "bundle.adapter");
  EXPECT_EQ(between(base(), two), "bundle");
}

TEST(Difference, ANodesKeysAreNamed) {
  const auto node = [](const std::string& text) { return read(base("[node]\n" + text))->node; };
  const std::pair<const char*, const char*> more[] = {
      {"node.listen", "listen = \"127.0.0.1:3001\""},
      {"node.id", "id = \"a\""},
      {"node.namespaces", "namespaces = [\"/\", \"/a\"]"},
      {"node.page", "page = true"},
      {"node.redis", "redis = \"redis://127.0.0.1\""},
      {"node.sharded", "sharded = \"static\""},
      {"node.stream_count", "stream_count = 2"},
      {"node.max_payload", "max_payload = 5"},
      {"node.drain_window", "drain_window = \"1s\""},
      {"node.deflate", "deflate = \"shared\""},
      {"node.raw_idle_timeout", "raw_idle_timeout = \"1s\""},
  };
  for (const auto& [key, text] : more) {
    EXPECT_EQ(first_difference(node(""), node(text)), key);
    EXPECT_EQ(first_difference(node(text), node("")), key);
    EXPECT_EQ(first_difference(node(text), node(text)), std::nullopt);
  }
  EXPECT_EQ(first_difference(node(""), node("page = true\nid = \"a\"")), "node.id");
}

std::string servers(const std::string& was, const std::string& is) {
  const auto pool = [](const std::string& list) {
    return read(std::string(kBase) + "[pool.ws]\nservers = [" + list + "]\n")->pools[0];
  };
  return describe_servers(pool(was), pool(is));
}

TEST(Difference, WhatHasChangedIsSaidInALine) {
  EXPECT_EQ(servers(R"("a=127.0.0.1:1")", R"("a=127.0.0.1:1")"), "");
  EXPECT_EQ(servers(R"("a=127.0.0.1:1", "b=127.0.0.1:2")", R"("b=127.0.0.1:2", "a=127.0.0.1:1")"), "");
  EXPECT_EQ(servers(R"("a=127.0.0.1:1", "b=127.0.0.1:2", "c=127.0.0.1:3")",
                    R"({ id = "a", address = "127.0.0.1:9", weight = 5, max_connections = 8, backup = true },
"c=127.0.0.1:3", "d=127.0.0.1:4", "e=127.0.0.1:5")"),
            "added d, e; removed b; changed a (address 127.0.0.1:9, weight 5, max_connections 8, backup)");
  EXPECT_EQ(servers(R"({ id = "a", address = "127.0.0.1:1", backup = true }, "b=127.0.0.1:2")",
                    R"("a=127.0.0.1:1", "b=127.0.0.1:2")"),
            "changed a (no backup)");
}

TEST(Difference, PoolsAreNamedWithTheirServers) {
  const auto two = [](const std::string& ws, const std::string& web) {
    return read(std::string(kBase) + "[pool.ws]\nservers = [" + ws + "]\n[pool.web]\nservers = [" + web +
                "]\ncookie = { name = \"web\" }\n[[route]]\npath = \"/x\"\npool = \"web\"\n[[route]]\npool = "
                "\"ws\"\n");
  };
  const std::string a = R"("a=127.0.0.1:1")", b = R"("b=127.0.0.1:2")";
  EXPECT_EQ(describe_servers(*two(a, b), *two(a, b)), "");
  EXPECT_EQ(describe_servers(*two(a, b), *two(a, a)), "pool web: added a; removed b");
  EXPECT_EQ(describe_servers(*two(a, b), *two(b, a)),
            "pool web: added a; removed b; pool ws: added b; removed a");
}

}  // namespace
}  // namespace limpet::config
