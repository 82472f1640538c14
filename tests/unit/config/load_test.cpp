#include "proxy/config/load.h"

#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

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

TEST(Load, OfASyntaxErrorTwoHundredBytesAreShown) {
  const auto lines = problems("a = \"" + std::string(300, 'x') + "\nb = 1\n");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_GT(lines[0].size(), 80u);
  EXPECT_THAT(problems("[" + std::string(300, 'x') + "]\n[" + std::string(300, 'x') + "]\n"),
              ElementsAre(testing::MatchesRegex("f:2:[0-9]+: .{200}\\.\\.\\.")));
}

TEST(Load, DurationsNeedAUnit) {
  EXPECT_THAT(
      with("[pool.ws.timeouts]\nconnect = \"1 sec\""),
      ElementsAre("f:7:11: pool.ws.timeouts.connect: \"1 sec\" is not a duration; write a number and a unit: "
                  "\"500ms\", \"30s\", \"5m\", \"1h\", \"7d\" (at most \"365d\")"));
  EXPECT_THAT(with("[pool.ws.timeouts]\nconnect = 5"),
              ElementsAre(HasSubstr("a duration such as \"500ms\"")));
  EXPECT_THAT(with("[pool.ws.timeouts]\ntunnel_idle = \"7d\""), ElementsAre());
  EXPECT_THAT(with("[pool.ws.timeouts]\nconnect = \"0s\""),
              ElementsAre(HasSubstr("\"10ms\" to \"1h\" are accepted")));
}

TEST(Load, WhatIsTooLongOrTooLargeSaysSo) {
  for (const std::string text : {"366d", "8761h", "99999999999d", "99999999999999999999s"}) {
    EXPECT_THAT(
        with("[pool.ws.timeouts]\ntunnel_idle = \"" + text + "\""),
        ElementsAre("f:7:15: pool.ws.timeouts.tunnel_idle: \"" + text + "\" is too long; at most \"365d\""));
  }
  EXPECT_THAT(with("[pool.ws.timeouts]\nconnect = \"366d\""),
              ElementsAre(HasSubstr("\"366d\" is too long; at most \"1h\"")));
  EXPECT_THAT(with("[pool.ws.timeouts]\nconnect = \"2h\""),
              ElementsAre(HasSubstr("is too long; at most \"1h\"")));
  for (const std::string text : {"\"2MiB\"", "\"99999999999GiB\"", "\"99999999999999999999\"", "1048577"}) {
    EXPECT_THAT(with("[limits]\nhead_bytes = " + text),
                ElementsAre("f:7:14: limits.head_bytes: " + text + " is too large; at most \"1MiB\""));
  }
  EXPECT_THAT(with("[limits]\nbody_bytes = \"2000000GiB\""),
              ElementsAre(HasSubstr("at most \"1048576GiB\"")));
  EXPECT_THAT(with("[limits]\nhead_bytes = -1"),
              ElementsAre(HasSubstr("-1 is out of range; \"1KiB\" to \"1MiB\" are accepted")));
  EXPECT_THAT(with("[pool.ws.timeouts]\ntunnel_idle = \"365d\""), ElementsAre());
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

TEST(Load, SuggestionsAreOfAnyCase) {
  EXPECT_THAT(with("[limits]\nHEAD_BYTES = \"16KiB\""),
              ElementsAre("f:7:1: limits.HEAD_BYTES: unknown key (did you mean head_bytes?)"));
  EXPECT_THAT(in_pool("EngineIO = true"), ElementsAre(HasSubstr("(did you mean engineio?)")));
  EXPECT_THAT(
      problems(
          "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.ws]\nservers = [{ ID = \"a\", address = \"b:1\" }]"),
      ElementsAre(HasSubstr("servers[0].ID: unknown key (did you mean id?)")));
  EXPECT_THAT(in_pool("TUNNEL_IDLE = \"1h\""),
              ElementsAre(HasSubstr("tunnel_idle belongs in [pool.NAME.timeouts]")));
  EXPECT_THAT(with("[[route]]\npool = \"WS\""), ElementsAre(HasSubstr("(did you mean \"ws\"?)")));
}

TEST(Load, AHomeIsWrittenAsItsTableIs) {
  EXPECT_THAT(with("[limits]\nready_path = \"/r\""), ElementsAre(HasSubstr("belongs in [[listener]]")));
  EXPECT_THAT(in_pool("weight = 1"), ElementsAre(HasSubstr("weight belongs in a server's table")));
}

TEST(Load, KeysThatNothingServesYetSaySo) {
  EXPECT_THAT(with("[pool.ws.cookie]\nkey_file = \"/k\""),
              ElementsAre(HasSubstr("pool.ws.cookie.key_file: not supported yet")));
  EXPECT_THAT(
      with("[[listener]]\naddress=\"0.0.0.0:81\"\ntls = {}\nproxy_protocol = true"),
      ElementsAre(HasSubstr("tls: not supported yet"), HasSubstr("proxy_protocol: not supported yet")));
}

TEST(Load, MissingPartsNameTheShortestThingToAdd) {
  EXPECT_THAT(problems(""), ElementsAre(HasSubstr("f:1:1: there is no listener; add [[listener]]"),
                                        HasSubstr("f:1:1: there is no pool; add [pool.ws]")));
  EXPECT_THAT(problems("[[listener]]\naddress=\"0.0.0.0:80\"\n[pool.ws]\n"),
              ElementsAre(HasSubstr("pool.ws: has no server; write servers")));
  EXPECT_THAT(problems("[[listener]]\n[pool.ws]\nservers=[\"a:1\"]"),
              ElementsAre(HasSubstr("address is missing")));
}

TEST(Load, AnEmptyFileIsOneWithoutAnything) {
  EXPECT_EQ(problems(""), problems("\n"));
  EXPECT_EQ(printed(load_file("/dev/null").problems), problems("\n"));
}

TEST(Load, TrustIsNarrow) {
  EXPECT_THAT(with("[proxy]\ntrusted_proxies = [\"10.1.0.0/8\"]"),
              ElementsAre(HasSubstr("did you mean \"10.0.0.0/8\"?")));
  EXPECT_THAT(with("[proxy]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\", \"unix:\"]"), ElementsAre());
  EXPECT_THAT(warnings(std::string(kShortest) + "[proxy]\ntrusted_proxies = [\"0.0.0.0/0\"]"),
              ElementsAre(HasSubstr("trusts everybody")));
}

TEST(Load, LimitsHoldTogether) {
  EXPECT_THAT(
      with("[limits]\nhead_bytes = \"4KiB\""),
      ElementsAre(
          "f:7:14: limits.head_bytes: \"4KiB\" cannot be less than target_bytes, which is \"8KiB\" by "
          "default; write both"));
  EXPECT_THAT(
      with("[limits]\ntarget_bytes = \"32KiB\""),
      ElementsAre(HasSubstr("\"32KiB\" cannot be more than head_bytes, which is \"16KiB\" by default")));
  EXPECT_THAT(with("[limits]\nhead_bytes = \"1kb\""), ElementsAre(HasSubstr("is not a size")));
}

TEST(Load, AWrongLimitIsNotComparedWithAnother) {
  EXPECT_THAT(with("[limits]\nhead_bytes = \"2MiB\"\ntarget_bytes = \"32KiB\""),
              ElementsAre(HasSubstr("head_bytes: \"2MiB\" is too large")));
}

TEST(Load, MessagesCarryNoControlBytesOfTheFile) {
  for (const std::string& line :
       with("[proxy]\n\"a\\u001b[31m\" = 1\nhash_seed = \"\\u0007\"\ndrain_timeout = \"\\u001b\"")) {
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
  }
}

TEST(Load, UnreadableFilesSayWhy) {
  EXPECT_THAT(printed(load_file("/nonexistent/limpet.toml").problems),
              ElementsAre("f: cannot be read: No such file or directory"));
  EXPECT_THAT(printed(load_file("/tmp").problems), ElementsAre("f: is a directory; a file is expected"));
  EXPECT_FALSE(load_file("/tmp").config);
  // Opens and cannot be read, for root too.
  EXPECT_THAT(printed(load_file("/proc/self/mem").problems), ElementsAre(HasSubstr("f: cannot be read: ")));
}

TEST(Load, AFileWithoutEndIsTooLarge) {
  EXPECT_THAT(printed(load_file("/dev/zero").problems),
              ElementsAre(HasSubstr("f:1:1: the file is larger than 16 MiB")));
}

TEST(Load, WhateverIsWrongHasAPlace) {
  for (const char* text :
       {"", "\n", "=", "\xff", "a = [", "[pool]\nservers = 1", "pool.ws.cookie.name = \"a b\"",
        "limits = { head_bytes = 1 }", "[pool.ws.cookie]\nmode = \"of\"", "[[route]]\n[[listener]]",
        "[pool.a.health]\nx = 1\n[pool.b.health]\n", "\xef\xbb\xbf", "[[listener]]\naddress = "}) {
    const Loaded result = load_text(text, "f");
    EXPECT_FALSE(result.problems.empty()) << text;
    for (const Problem& each : result.problems) {
      EXPECT_GE(each.line, 1) << text << ": " << each.message;
      EXPECT_GE(each.column, 1) << text << ": " << each.message;
    }
  }
}

}  // namespace
}  // namespace limpet::config
