#include "proxy/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace limpet::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kShortest = R"([[listener]]
address = "0.0.0.0:80"

[pool.ws]
servers = ["ws1=10.0.1.1:3000", "ws2=10.0.1.2:3000", "ws3=ws3.internal:3000"]
)";

std::vector<std::string> problems(std::string_view text) {
  std::vector<std::string> lines;
  for (const Problem& each : load_text(text, "f").problems) lines.push_back(format("f", each));
  return lines;
}
std::vector<std::string> warnings(std::string_view text) {
  std::vector<std::string> lines;
  for (const Problem& each : load_text(text, "f").warnings) lines.push_back(format("f", each));
  return lines;
}
// What a line added to the pool of the shortest file brings; that line is the sixth.
std::vector<std::string> in_pool(const std::string& line) {
  return problems(std::string(kShortest) + line + "\n");
}
std::vector<std::string> with(const std::string& more) {
  return problems(std::string(kShortest) + more + "\n");
}

TEST(Load, ShortestFileHasEveryDefaultOfTheDesign) {
  const Loaded loaded = load_text(kShortest, "limpet.toml");
  ASSERT_TRUE(loaded.config);
  const Config& c = *loaded.config;
  EXPECT_EQ(c.file, "limpet.toml");
  EXPECT_EQ(c.proxy.workers, 0u);
  EXPECT_EQ(c.proxy.max_connections, 0u);
  EXPECT_EQ(c.proxy.shutdown_delay, seconds(0));
  EXPECT_EQ(c.proxy.drain_timeout, seconds(30));
  EXPECT_FALSE(c.proxy.hash_seed);
  ASSERT_EQ(c.routes.size(), 1u);
  EXPECT_TRUE(c.routes[0].hosts.empty());
  EXPECT_EQ(c.routes[0].path, "/");
  ASSERT_EQ(c.pools.size(), 1u);
  const Pool& p = c.pools[0];
  EXPECT_THAT(p.affinity, ElementsAre(AffinityKind::sid, AffinityKind::cookie, AffinityKind::source));
  EXPECT_EQ(p.balance, Balance::source);
  EXPECT_EQ(p.bounded_load, 1.25);
  EXPECT_EQ(p.on_lost, OnLost::redispatch);
  EXPECT_TRUE(p.engineio);
  ASSERT_EQ(p.servers.size(), 3u);
  EXPECT_EQ(p.servers[0].id, "ws1");
  EXPECT_EQ(p.servers[0].max_connections, 50'000u);
  EXPECT_FALSE(p.servers[0].max_connections_set);
  EXPECT_EQ(p.servers[2].address.kind, Endpoint::Kind::name);
  EXPECT_EQ(p.servers[2].address.text(), "ws3.internal:3000");
  EXPECT_EQ(p.cookie.mode, CookieMode::insert);
  EXPECT_EQ(p.cookie.name, "io");
  EXPECT_EQ(p.cookie.path, "/");
  EXPECT_TRUE(p.cookie.http_only);
  EXPECT_EQ(p.cookie.same_site, SameSite::lax);
  EXPECT_EQ(p.cookie.secure, Secure::automatic);
  EXPECT_EQ(p.health.path, "/health");
  EXPECT_EQ(p.health.interval, seconds(2));
  EXPECT_EQ(p.health.fast_interval, milliseconds(500));
  EXPECT_EQ(p.health.timeout, seconds(1));
  EXPECT_EQ(p.health.rise, 2u);
  EXPECT_EQ(p.health.fall, 3u);
  EXPECT_EQ(p.health.slow_start, seconds(10));
  EXPECT_EQ(p.health.on_down, OnDown::keep);
  EXPECT_EQ(p.timeouts.connect, seconds(1));
  EXPECT_EQ(p.timeouts.handshake, seconds(2));
  EXPECT_EQ(p.timeouts.response, seconds(60));
  EXPECT_EQ(p.timeouts.tunnel_idle, hours(1));
  EXPECT_EQ(p.timeouts.keep_alive, seconds(4));
  EXPECT_EQ(c.limits.head_bytes, 16u * 1024);
  EXPECT_EQ(c.limits.head_fields, 100u);
  EXPECT_EQ(c.limits.target_bytes, 8u * 1024);
  EXPECT_EQ(c.limits.body_bytes, 128ull << 20);
  EXPECT_EQ(c.limits.head_timeout, seconds(10));
  EXPECT_EQ(c.limits.idle_timeout, seconds(75));
  EXPECT_EQ(c.limits.sid_entries, 1'000'000u);
  EXPECT_TRUE(c.log.access);
  EXPECT_FALSE(c.log.query);
}

TEST(Load, AllErrorsAreShownAtOnceInTheFilesOrder) {
  EXPECT_THAT(problems("[[listener]]\naddress = \"x\"\n[proxy]\nworker = 1\n[pool.ws]\nservers = "
                       "[\"a\"]\n[limits]\nhead_fields = 0\n"),
              ElementsAre(HasSubstr("f:2:11: listener[0].address:"),
                          HasSubstr("f:4:1: proxy.worker: unknown key (did you mean workers?)"),
                          HasSubstr("f:6:12: pool.ws.servers:"),
                          HasSubstr("f:8:15: limits.head_fields: 0 is out of range")));
}

TEST(Load, OfSyntaxErrorsTheFirstIsShown) {
  const auto lines = problems("a = [\nb = = 1\n");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr("f:2:"));
}

TEST(Load, DurationsNeedAUnit) {
  EXPECT_THAT(
      with("[pool.ws.timeouts]\nconnect = \"1 sec\""),
      ElementsAre("f:7:11: pool.ws.timeouts.connect: \"1 sec\" is not a duration; write a number and a unit: "
                  "\"500ms\", \"30s\", \"5m\", \"1h\", \"7d\" (at most \"365d\")"));
  EXPECT_THAT(with("[pool.ws.timeouts]\nconnect = 5"),
              ElementsAre(HasSubstr("a duration such as \"500ms\"")));
  EXPECT_THAT(with("[pool.ws.timeouts]\ntunnel_idle = \"400d\""),
              ElementsAre(HasSubstr("is not a duration")));
  EXPECT_THAT(with("[pool.ws.timeouts]\ntunnel_idle = \"7d\""), ElementsAre());
  EXPECT_THAT(with("[pool.ws.timeouts]\nconnect = \"0s\""),
              ElementsAre(HasSubstr("\"10ms\" to \"1h\" are accepted")));
  EXPECT_THAT(with("[pool.ws.timeouts]\nconnect = \"99999999999999999999s\""),
              ElementsAre(HasSubstr("is not a duration")));
}

TEST(Load, WrongTypesAreNamed) {
  EXPECT_THAT(with("[proxy]\nworkers = \"2\""),
              ElementsAre("f:7:11: proxy.workers: an integer is expected, this is a string"));
  EXPECT_THAT(in_pool("engineio = 1"),
              ElementsAre("f:6:12: pool.ws.engineio: true or false is expected, this is an integer"));
  EXPECT_THAT(in_pool("cookie = 1"), ElementsAre(HasSubstr("pool.ws.cookie: a table is expected")));
  EXPECT_THAT(problems("listener = 1\npool = 2"),
              ElementsAre(HasSubstr("write [[listener]]"), HasSubstr("pool: a table is expected")));
}

TEST(Load, UnknownKeysNameTheNearestOrTheirHome) {
  EXPECT_THAT(in_pool("server = []"),
              ElementsAre(HasSubstr("f:6:1: pool.ws.server: unknown key (did you mean servers?)")));
  EXPECT_THAT(in_pool("tunnel_idle = \"1h\""),
              ElementsAre(HasSubstr("tunnel_idle belongs in [pool.NAME.timeouts]")));
  EXPECT_THAT(with("[pool.ws.cookie]\nxyzzy_plugh = 1"),
              ElementsAre(HasSubstr("unknown key; accepted are ")));
}

TEST(Load, KeysThatNothingServesYetSaySo) {
  EXPECT_THAT(with("[bundle]\nnodes = 3"), ElementsAre(HasSubstr("bundle: not supported yet")));
  EXPECT_THAT(with("[node]\nx = 3"), ElementsAre(HasSubstr("node: not supported yet")));
  EXPECT_THAT(with("[pool.ws.cookie]\nkey_file = \"/k\""),
              ElementsAre(HasSubstr("pool.ws.cookie.key_file: not supported yet")));
  EXPECT_THAT(
      with("[[listener]]\naddress=\"0.0.0.0:81\"\ntls = {}\nproxy_protocol = true"),
      ElementsAre(HasSubstr("tls: not supported yet"), HasSubstr("proxy_protocol: not supported yet")));
}

TEST(Load, AddressesAreExplained) {
  const auto server = [](const std::string& text) {
    return problems("[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.ws]\nservers = [\"" + text + "\"]\n");
  };
  for (const char* good : {"10.0.0.1:1", "a=10.0.0.1:65535", "[::1]:3000", "name:80", "my_host.internal:80",
                           "u=unix:/run/x.sock"}) {
    EXPECT_THAT(server(good), ElementsAre()) << good;
  }
  EXPECT_THAT(server("10.0.0.1"), ElementsAre(HasSubstr("has no port")));
  EXPECT_THAT(server("10.0.0.1:0"), ElementsAre(HasSubstr("port 0 is no server's")));
  EXPECT_THAT(server("10.0.0.1:65536"), ElementsAre(HasSubstr("is not a port; ports are 1 to 65535")));
  EXPECT_THAT(server("::1:3000"), ElementsAre(HasSubstr("an IPv6 address stands in brackets")));
  EXPECT_THAT(server("10.0.0.256:1"), ElementsAre(HasSubstr("is not an address")));
  EXPECT_THAT(server("a=http://b:1"), ElementsAre(HasSubstr("is not an address")));
  EXPECT_THAT(server("unix:/x"), ElementsAre(HasSubstr("a Unix socket needs an id")));
  EXPECT_THAT(server("u=unix:x"), ElementsAre(HasSubstr("begins with \"/\"")));
  EXPECT_THAT(server("u=unix:/" + std::string(120, 'x')), ElementsAre(HasSubstr("at most 107 bytes")));
  EXPECT_THAT(server("a b=1.1.1.1:1"), ElementsAre(HasSubstr("is not a server id")));
  EXPECT_THAT(problems("[[listener]]\naddress = \"example.org:80\"\n[pool.ws]\nservers = [\"a:1\"]"),
              ElementsAre(HasSubstr("a listener takes an IP address")));
}

TEST(Load, Ipv6AddressAsItsOwnIdDropsTheBrackets) {
  const auto loaded =
      load_text("[[listener]]\naddress = \"[::]:80\"\n[pool.ws]\nservers = [\"[::1]:3000\"]", "f");
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->pools[0].servers[0].id, "::1:3000");
  EXPECT_EQ(loaded.config->pools[0].servers[0].address.text(), "[::1]:3000");
}

TEST(Load, DuplicateServersAreErrorsAndDuplicateAddressesWarnings) {
  const std::string head = "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.ws]\n";
  EXPECT_THAT(problems(head + "servers = [\"a=1.1.1.1:1\", \"a=1.1.1.2:1\"]"),
              ElementsAre("f:4:27: pool.ws.servers: there is a server \"a\" already, in line 4"));
  EXPECT_THAT(warnings(head + "servers = [\"a=1.1.1.1:1\", \"b=1.1.1.1:1\"]"),
              ElementsAre(HasSubstr("have the same address")));
  EXPECT_THAT(problems(head + "servers = [{ address = \"1.1.1.1:1\", weight = 0 }]"),
              ElementsAre(HasSubstr("every weight is 0")));
  EXPECT_THAT(problems(head + "servers = [{ address = \"1.1.1.1:1\", backup = true }]"),
              ElementsAre(HasSubstr("every server is a backup")));
  EXPECT_THAT(problems(head + "servers = [{ id = \"a\" }]"),
              ElementsAre(HasSubstr("servers[0]: address is missing")));
  EXPECT_THAT(problems(head + "servers = [7]"), ElementsAre(HasSubstr("a server is \"id=address\"")));
  EXPECT_THAT(problems(head + "servers = []"), ElementsAre(HasSubstr("pool.ws: has no server")));
}

TEST(Load, MissingPartsNameTheShortestThingToAdd) {
  EXPECT_THAT(problems(""), ElementsAre(HasSubstr("f: there is no listener; add [[listener]]"),
                                        HasSubstr("f: there is no pool; add [pool.ws]")));
  EXPECT_THAT(problems("[[listener]]\naddress=\"0.0.0.0:80\"\n[pool.ws]\n"),
              ElementsAre(HasSubstr("pool.ws: has no server; write servers")));
  EXPECT_THAT(problems("[[listener]]\n[pool.ws]\nservers=[\"a:1\"]"),
              ElementsAre(HasSubstr("address is missing")));
}

TEST(Load, RoutesNeedPoolsThatExist) {
  const std::string two =
      "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.chat]\nservers = [\"a:1\"]\ncookie.name = "
      "\"c\"\n[pool.feed]\nservers = [\"b:1\"]\n";
  EXPECT_THAT(problems(two), ElementsAre(HasSubstr("several pools and no route")));
  EXPECT_THAT(problems(two + "[[route]]\npool = \"chta\""),
              ElementsAre(HasSubstr("there is no pool \"chta\" (did you mean \"chat\"?)")));
  EXPECT_THAT(problems(two + "[[route]]\npath = \"/x\""), ElementsAre(HasSubstr("route[0].pool: missing")));
  EXPECT_THAT(problems(two + "[[route]]\npool = \"chat\"\n[[route]]\npool = \"feed\""),
              ElementsAre(HasSubstr("has the same host and path")));
  EXPECT_THAT(warnings(two + "[[route]]\npool = \"chat\""),
              ElementsAre(HasSubstr("pool.feed: no route leads to it")));
  EXPECT_THAT(problems(two + "[[route]]\npool = \"chat\"\nhosts = [\"a.*.b\"]"),
              ElementsAre(HasSubstr("is not a host")));
  EXPECT_THAT(problems(two + "[[route]]\npool = \"chat\"\npath = \"x\""),
              ElementsAre(HasSubstr("is not a path")));
}

TEST(Load, AffinityAndBalanceMustNotContradict) {
  EXPECT_THAT(in_pool("balance = \"round_robin\"\naffinity = [\"sid\", \"source\"]"),
              ElementsAre(HasSubstr("\"source\" holds every client")));
  EXPECT_THAT(in_pool("affinity = [\"sid\", \"sid\"]"), ElementsAre(HasSubstr("stands there twice")));
  EXPECT_THAT(in_pool("affinity = [\"cookie\"]\ncookie = { mode = \"off\" }"),
              ElementsAre(HasSubstr("\"cookie\" needs a cookie")));
  const auto loaded = load_text(std::string(kShortest) + "balance = \"least_connections\"\n", "f");
  ASSERT_TRUE(loaded.config);
  EXPECT_THAT(loaded.config->pools[0].affinity, ElementsAre(AffinityKind::sid, AffinityKind::cookie));
  const auto off = load_text(std::string(kShortest) + "cookie = { mode = \"off\" }\n", "f");
  ASSERT_TRUE(off.config);
  EXPECT_THAT(off.config->pools[0].affinity, ElementsAre(AffinityKind::sid, AffinityKind::source));
}

TEST(Load, CookieKeysThatBrowsersWouldDropAreErrors) {
  EXPECT_THAT(with("[pool.ws.cookie]\nsame_site = \"none\""),
              ElementsAre(HasSubstr("\"none\" needs secure = true")));
  EXPECT_THAT(with("[pool.ws.cookie]\nsame_site = \"none\"\nsecure = true"), ElementsAre());
  EXPECT_THAT(with("[pool.ws.cookie]\npartitioned = true"), ElementsAre(HasSubstr("needs secure = true")));
  EXPECT_THAT(with("[pool.ws.cookie]\nname = \"a b\""), ElementsAre(HasSubstr("is not a token")));
  EXPECT_THAT(with("[pool.ws.cookie]\nmax_age = \"1500ms\""), ElementsAre(HasSubstr("whole seconds")));
  EXPECT_THAT(with("[pool.ws.cookie]\nmode = \"off\"\nname = \"x\""),
              ElementsAre(HasSubstr("has no effect with mode")));
}

TEST(Load, CookiesOfTwoPoolsMustNotOverwriteEachOther) {
  const std::string base =
      "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.a]\nservers = [\"a:1\"]\n[pool.b]\nservers = "
      "[\"b:1\"]\n";
  const auto routed = [&](const std::string& a, const std::string& b, const std::string& more = "") {
    return problems(base + more + "[[route]]\npool = \"a\"\n" + a + "\n[[route]]\npool = \"b\"\n" + b + "\n");
  };
  EXPECT_THAT(routed("path = \"/a\"", "path = \"/b\""),
              ElementsAre(HasSubstr("would overwrite that of pool.a")));
  EXPECT_THAT(routed("hosts = [\"a.org\"]", "hosts = [\"b.org\"]"), ElementsAre());
  EXPECT_THAT(routed("hosts = [\"*.a.org\"]", "hosts = [\"x.a.org\"]"),
              ElementsAre(HasSubstr("would overwrite")));
  EXPECT_THAT(routed("path = \"/a\"", "path = \"/b\"", "[pool.a.cookie]\nname = \"other\"\n"), ElementsAre());
  EXPECT_THAT(routed("path = \"/a\"", "path = \"/b\"",
                     "[pool.a.cookie]\npath = \"/a\"\n[pool.b.cookie]\npath = \"/b\"\n"),
              ElementsAre());
  EXPECT_THAT(
      routed("hosts = [\"x.a.org\"]", "hosts = [\"y.a.org\"]", "[pool.a.cookie]\ndomain = \"a.org\"\n"),
      ElementsAre(HasSubstr("would overwrite")));
}

TEST(Load, HealthIsChecked) {
  EXPECT_THAT(with("[pool.ws.health]\nexpect = [200, \"300-399\"]"), ElementsAre());
  EXPECT_THAT(with("[pool.ws.health]\nexpect = 99"), ElementsAre(HasSubstr("is not a status")));
  EXPECT_THAT(with("[pool.ws.health]\nexpect = \"399-300\""), ElementsAre(HasSubstr("is not a status")));
  EXPECT_THAT(with("[pool.ws.health]\nfast_interval = \"5s\""),
              ElementsAre(HasSubstr("cannot be longer than interval")));
  EXPECT_THAT(with("[pool.ws.health]\nheaders = { Host = \"x\" }"),
              ElementsAre(HasSubstr("is set by limpet")));
  EXPECT_THAT(with("[pool.ws.health]\nheaders = { X = \"a\\r\\nb\" }"),
              ElementsAre(HasSubstr("without control characters")));
  EXPECT_THAT(with("[pool.ws.health]\npath = \"health\""), ElementsAre(HasSubstr("is not a path")));
  EXPECT_THAT(with("[pool.ws.health]\njitter = 0.9"), ElementsAre(HasSubstr("0 to 0.5 are accepted")));
}

TEST(Load, TrustIsNarrow) {
  EXPECT_THAT(with("[proxy]\ntrusted_proxies = [\"10.1.0.0/8\"]"),
              ElementsAre(HasSubstr("did you mean \"10.0.0.0/8\"?")));
  EXPECT_THAT(with("[proxy]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\", \"unix:\"]"), ElementsAre());
  EXPECT_THAT(warnings(std::string(kShortest) + "[proxy]\ntrusted_proxies = [\"0.0.0.0/0\"]"),
              ElementsAre(HasSubstr("trusts everybody")));
}

TEST(Load, AdminIsLocal) {
  EXPECT_THAT(with("[admin]\naddress = \"0.0.0.0:9000\""),
              ElementsAre(HasSubstr("can be reached from elsewhere")));
  EXPECT_THAT(with("[admin]\naddress = \"127.0.0.1:9000\""), ElementsAre());
  EXPECT_THAT(with("[admin]\naddress = \"unix:/run/l.sock\""), ElementsAre());
}

TEST(Load, ListenersMustDiffer) {
  EXPECT_THAT(with("[[listener]]\naddress = \"0.0.0.0:80\""),
              ElementsAre(HasSubstr("is the address of the listener in line 1")));
}

TEST(Load, LimitsHoldTogether) {
  EXPECT_THAT(with("[limits]\nhead_bytes = \"4KiB\""),
              ElementsAre(HasSubstr("cannot be longer than head_bytes")));
  EXPECT_THAT(with("[limits]\nhead_bytes = \"2MiB\""),
              ElementsAre(HasSubstr("\"1KiB\" to \"1MiB\" are accepted")));
  EXPECT_THAT(with("[limits]\nhead_bytes = \"1kb\""), ElementsAre(HasSubstr("is not a size")));
}

TEST(Load, SourceAddressesNeedAServerOfTheirFamily) {
  EXPECT_THAT(problems("[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.ws]\nservers = "
                       "[\"1.1.1.1:1\"]\nsource_addresses = [\"::1\"]"),
              ElementsAre(HasSubstr("is of no use")));
}

TEST(Load, MessagesCarryNoControlBytesOfTheFile) {
  for (const std::string& line :
       with("[proxy]\n\"a\\u001b[31m\" = 1\nhash_seed = \"\\u0007\"\ndrain_timeout = \"\\u001b\"")) {
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
  }
}

TEST(Load, UnreadableFilesSayWhy) {
  EXPECT_THAT(load_file("/nonexistent/limpet.toml").problems[0].message, HasSubstr("No such file"));
  EXPECT_FALSE(load_file("/tmp").config);
}

}  // namespace
}  // namespace limpet::config
