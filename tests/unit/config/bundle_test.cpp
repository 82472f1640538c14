// [bundle].
#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::string> in_bundle(std::string_view text) {
  return printed(load_text("[bundle]\n" + std::string(text), "f").problems);
}

TEST(BundleTable, NeedsNothingElse) {
  const auto config = load_text("[bundle]", "f").config;
  ASSERT_TRUE(config);
  ASSERT_TRUE(config->bundle);
  EXPECT_EQ(*config->bundle, Bundle{});
  EXPECT_EQ(config->routes.at(0).pool, "nodes");
}

TEST(BundleTable, IsRead) {
  const auto config =
      load_text(
          "[bundle]\nnodes = 3\nredis = \"file:/r\"\nadapter = \"redis\"\ncommand = [\"node\", \"\"]\n"
          "ports = 3001\nenvironment = { B = \"2\", A = \"1\" }",
          "f")
          .config;
  ASSERT_TRUE(config);
  const Bundle& bundle = *config->bundle;
  EXPECT_EQ(bundle.nodes, 3u);
  EXPECT_EQ(bundle.redis, "file:/r");
  EXPECT_EQ(bundle.adapter, BundleAdapter::redis);
  EXPECT_THAT(bundle.command, ElementsAre("node", ""));
  EXPECT_EQ(bundle.ports, 3001);
  EXPECT_THAT(bundle.environment, ElementsAre(Pair("A", "1"), Pair("B", "2")));
}

TEST(BundleTable, WrongValuesAreNamed) {
  EXPECT_THAT(in_bundle("nodes = -1"), ElementsAre(HasSubstr("bundle.nodes")));
  EXPECT_THAT(in_bundle("nodes = 1025"), ElementsAre(HasSubstr("bundle.nodes")));
  EXPECT_THAT(in_bundle("redis = \"nothing\""), ElementsAre(HasSubstr("bundle.redis")));
  EXPECT_THAT(in_bundle("redis = 1"), ElementsAre(HasSubstr("bundle.redis")));
  EXPECT_THAT(in_bundle("adapter = \"memory\""), ElementsAre(HasSubstr("\"redis\" or \"redis_streams\"")));
  EXPECT_THAT(in_bundle("command = \"node\""), ElementsAre(HasSubstr("[\"node\", \"server.js\"]")));
  EXPECT_THAT(in_bundle("command = []"), ElementsAre(HasSubstr("[\"node\", \"server.js\"]")));
  EXPECT_THAT(in_bundle("command = [\"\"]"), ElementsAre(HasSubstr("cannot be run")));
  EXPECT_THAT(in_bundle("command = [\"a\", \"b\\u0000\"]"), ElementsAre(HasSubstr("cannot be run")));
  EXPECT_THAT(in_bundle("ports = 65536"), ElementsAre(HasSubstr("bundle.ports")));
  EXPECT_THAT(in_bundle("nodes = 2\nports = 65535"), ElementsAre(HasSubstr("no port for every node")));
  EXPECT_THAT(in_bundle("node = 2"), ElementsAre(HasSubstr("did you mean nodes?")));
}

TEST(BundleTable, LeavesTheProxyLittleTimeToGoOnAccepting) {
  EXPECT_THAT(in_bundle("[proxy]\nshutdown_delay = \"10s\""), IsEmpty());
  EXPECT_THAT(in_bundle("[proxy]\nshutdown_delay = \"11s\""),
              ElementsAre(HasSubstr("proxy.shutdown_delay: \"11s\" is too long; at most \"10s\"")));
}

TEST(BundleTable, VariablesHaveNamesAndTexts) {
  EXPECT_THAT(in_bundle("environment = { \"A=B\" = \"1\" }"),
              ElementsAre(HasSubstr("not a variable's name")));
  EXPECT_THAT(in_bundle("environment = { 1A = \"1\" }"), ElementsAre(HasSubstr("not a variable's name")));
  EXPECT_THAT(in_bundle("environment = { A = 1 }"), ElementsAre(HasSubstr("a text is expected")));
  EXPECT_THAT(in_bundle("environment = { A = \"\\u0000\" }"), ElementsAre(HasSubstr("a text is expected")));
  EXPECT_THAT(in_bundle("environment = { PORT = \"1\" }"), ElementsAre(HasSubstr("set by the bundle")));
  EXPECT_THAT(in_bundle("environment = []"), ElementsAre(HasSubstr("bundle.environment")));
}

TEST(BundleTable, ItsPoolHasNoServersOfItsOwn) {
  EXPECT_THAT(in_bundle("[pool.nodes.health]\nrise = 3"), IsEmpty());
  EXPECT_THAT(in_bundle("[pool.nodes]\nservers = [\"a=10.0.0.1:1\"]"),
              ElementsAre(HasSubstr("bundle's nodes")));
  EXPECT_THAT(in_bundle("[pool.other]\n[[route]]\npool = \"nodes\""),
              ElementsAre(HasSubstr("has no server")));
}

std::vector<std::string> warned_in_bundle(std::string_view text) {
  const Loaded loaded = load_text("[bundle]\n" + std::string(text), "f");
  EXPECT_THAT(printed(loaded.problems), IsEmpty());
  return printed(loaded.warnings);
}

constexpr std::string_view kOther = "[pool.other]\nservers = [\"a=10.0.0.1:1\"]\n";
constexpr std::string_view kBothRoutes =
    "[[route]]\npath = \"/o\"\npool = \"other\"\n[[route]]\npool = \"nodes\"\n";

TEST(BundleTable, ItsPoolIsHeldAsItsProxyHoldsIt) {
  const auto nodes = [](std::string_view text) {
    const auto config = load_text("[bundle]\n" + std::string(text), "f").config;
    EXPECT_TRUE(config) << text;
    return config ? *config->find_pool("nodes") : Pool{};
  };
  EXPECT_THAT(nodes("[pool.nodes]").affinity, ElementsAre(AffinityKind::sid));
  EXPECT_EQ(nodes("[pool.nodes]").balance, Balance::least_connections);
  EXPECT_THAT(nodes("command = [\"x\"]\n[pool.nodes]").affinity,
              ElementsAre(AffinityKind::sid, AffinityKind::cookie));
  EXPECT_THAT(nodes("[pool.nodes]\naffinity = [\"source\"]").affinity, ElementsAre(AffinityKind::source));
  EXPECT_THAT(warned_in_bundle("command = [\"x\"]\n[pool.nodes.cookie]\nmode = \"off\""), IsEmpty());
}

TEST(BundleTable, CookiesOfItsPoolAndAnotherAreHeldApart) {
  const std::string rest = std::string(kOther) + std::string(kBothRoutes);
  EXPECT_THAT(in_bundle(rest), IsEmpty()) << "sids name limpet's own nodes";
  EXPECT_THAT(in_bundle("[pool.nodes]\n" + rest), IsEmpty());
  for (const std::string table : {"", "[pool.nodes]\n"}) {
    EXPECT_THAT(in_bundle("command = [\"x\"]\n" + table + rest),
                ElementsAre(HasSubstr("the cookie \"io\" would overwrite that of pool.")));
  }
  EXPECT_THAT(in_bundle("command = [\"x\"]\n" + rest + "[pool.nodes.cookie]\nname = \"n\"\n"), IsEmpty());
  const Loaded whole =
      load_text("[[listener]]\naddress = \"[::1]:80\"\n[bundle]\ncommand = [\"x\"]\n" + rest, "f");
  ASSERT_EQ(whole.problems.size(), 1u);
  EXPECT_EQ(whole.problems[0].line, 3) << "there is no other place for a pool that is not written";
}

TEST(BundleTable, WhatItSaysToItsNodesIsSaidThere) {
  for (const auto& [line, why] : {std::pair("redis = \"redis://10.9.9.9\"", "write bundle.redis"),
                                  {"adapter = \"memory\"", "write bundle.adapter"},
                                  {"listen = \"127.0.0.1:4000\"", "bundle.ports"},
                                  {"id = \"x\"", "n1, n2"},
                                  {"admin = \"127.0.0.1:4001\"", "leave it out"}}) {
    const Loaded loaded = load_text("[bundle]\n[node]\n" + std::string(line), "f");
    ASSERT_EQ(loaded.problems.size(), 1u) << line;
    EXPECT_THAT(loaded.problems[0].message, testing::AllOf(HasSubstr("node."), HasSubstr(why)));
    EXPECT_EQ(loaded.problems[0].line, 3);
    EXPECT_GT(loaded.problems[0].column, 1);
  }
}

TEST(BundleTable, ItsNodesAreCheckedAsItJoinsThem) {
  EXPECT_THAT(warned_in_bundle("[node]\nrecovery = \"2m\"\nrecovery_save = \"eager\""), IsEmpty());
  EXPECT_THAT(warned_in_bundle("[node]\nstream = \"mine\"\nstrict_health = true"), IsEmpty());
  EXPECT_THAT(in_bundle("adapter = \"redis\"\n[node]\nrecovery = \"2m\""),
              ElementsAre(HasSubstr("node.recovery")));
  EXPECT_THAT(in_bundle("redis = \"redis://10.0.0.9\"\n[node]\nredis_ca = \"/ca\""),
              ElementsAre(HasSubstr("not one of TLS")));
  EXPECT_THAT(warned_in_bundle("redis = \"rediss://10.0.0.9\"\n[node]\nredis_ca = \"/ca\""), IsEmpty());
}

TEST(BundleTable, TimesThatItLimitsAreWarnedOf) {
  EXPECT_THAT(warned_in_bundle("[node]\ndrain_window = \"16s\"\n[proxy]\ndrain_timeout = \"30s\""),
              IsEmpty());
  EXPECT_THAT(warned_in_bundle("[node]\ndrain_window = \"60s\""),
              ElementsAre(HasSubstr("node.drain_window: with [bundle] at most \"16s\"")));
  EXPECT_THAT(warned_in_bundle("[node]\ndrain_window = \"9s\"\n[proxy]\nshutdown_delay = \"8s\""),
              ElementsAre(HasSubstr("node.drain_window: with [bundle] at most \"8s\"")));
  EXPECT_THAT(warned_in_bundle("[proxy]\ndrain_timeout = \"2m\""),
              ElementsAre(HasSubstr("proxy.drain_timeout: with [bundle] it is \"30s\"")));
}

TEST(BundleTable, AListenerNeedsAPort) {
  EXPECT_THAT(in_bundle("[[listener]]\naddress = \"127.0.0.1:0\""),
              ElementsAre(HasSubstr("listener[0].address: \"127.0.0.1:0\": with [bundle] a port is needed")));
  EXPECT_THAT(in_bundle("[[listener]]\naddress = \"unix:/x\""), IsEmpty());
}

TEST(BundleTable, ItsPoolIsOneThatRoutesMayName) {
  const std::string other = "[pool.other]\nservers = [\"a=10.0.0.1:1\"]\n";
  EXPECT_THAT(in_bundle(other), ElementsAre(HasSubstr("several pools and no route")));
  EXPECT_THAT(in_bundle(other + "[[route]]\npool = \"nodes\""), IsEmpty());
  EXPECT_THAT(in_bundle(other + "[[route]]\npool = \"node\""),
              ElementsAre(HasSubstr("did you mean \"nodes\"?")));
  EXPECT_THAT(in_bundle(other + "[[route]]"), ElementsAre(HasSubstr("several pools: \"other\", \"nodes\"")));
}

}  // namespace
}  // namespace limpet::config
