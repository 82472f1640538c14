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
