// What the bundle's children are.
#include "proxy/bundle/blueprint.h"

#include <gmock/gmock.h>

#include "proxy/config/load.h"

namespace limpet::bundle {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class BlueprintTest : public testing::Test {
 protected:
  Blueprint of(std::string toml) {
    loaded = config::load_text(toml, "f");
    EXPECT_TRUE(loaded.config) << (loaded.problems.empty() ? "" : loaded.problems[0].message);
    return Blueprint(loaded.config, std::move(toml), site);
  }
  // The value of a flag of a node's command.
  static std::string flag(const ChildSpec& spec, std::string_view name) {
    const auto found = std::ranges::find(spec.command, name);
    return found == spec.command.end() || found + 1 == spec.command.end() ? "" : *(found + 1);
  }
  static std::string variable(const ChildSpec& spec, const std::string& name) {
    std::string found;
    for (const std::string& each : spec.environment) {
      if (!each.starts_with(name + "=")) continue;
      EXPECT_EQ(found, "") << name << " is there twice";
      found = each.substr(name.size() + 1);
    }
    return found;
  }
  void with_port() {
    site.redis_port = 6400;
    site.redis_password = "secret";
  }
  config::Loaded loaded;
  Site site{"/run/x", {"PATH=/bin", "NOTIFY_SOCKET=/n", "LISTEN_FDS=1", "PORT=1"}, "127.0.0.1:8080", {}, 0,
            {}};
};

constexpr const char* kCommand = "[bundle]\ncommand = [\"node\", \"a b.js\"]\n";

TEST_F(BlueprintTest, NodesAreOnSocketsAndJoinedByStreams) {
  const ChildSpec node = of("[bundle]").node(2, 0);
  EXPECT_EQ(node.id, "n2");
  EXPECT_EQ(node.address, "unix:/run/x/n2.sock");
  EXPECT_EQ(flag(node, "--listen"), node.address);
  EXPECT_EQ(flag(node, "--id"), "n2");
  EXPECT_EQ(flag(node, "--redis"), "unix:/run/x/redis.sock");
  EXPECT_EQ(flag(node, "--adapter"), "redis_streams");
  EXPECT_EQ(flag(node, "--stream"), "socket.io-stream");
  EXPECT_EQ(flag(node, "--drain-window"), "16s");
}

TEST_F(BlueprintTest, WhatTheProxyWaitsForAtTheEndIsOffTheNodesTime) {
  EXPECT_EQ(flag(of("[bundle]\n[proxy]\nshutdown_delay = \"8s\"").node(1, 0), "--drain-window"), "8s");
}

TEST_F(BlueprintTest, WhatTheFileSaysOfNodesHolds) {
  const ChildSpec node =
      of("[bundle]\nadapter = \"redis\"\n[node]\ndrain_window = \"1s\"\nstream = \"mine\"").node(1, 3001);
  EXPECT_EQ(flag(node, "--listen"), "127.0.0.1:3001");
  EXPECT_EQ(flag(node, "--adapter"), "redis");
  EXPECT_EQ(flag(node, "--stream"), "");
  EXPECT_EQ(flag(node, "--drain-window"), "1s");
}

TEST_F(BlueprintTest, ThePageIsForWhoHasNoFile) {
  EXPECT_THAT(of("[bundle]\n[node]\njwt_key = \"/k\"").node(1, 0).command, Not(Contains("--page")));
  const Blueprint bare(config::load_text("[bundle]\n", "").config, "[bundle]\n", site);
  EXPECT_THAT(bare.node(1, 0).command, Contains("--page"));
}

TEST_F(BlueprintTest, TheServiceManagerIsTheBundlesAlone) {
  const Blueprint bundle = of("[bundle]");
  for (const ChildSpec& each : {bundle.redis(), bundle.node(1, 0), bundle.proxy()}) {
    EXPECT_EQ(variable(each, "NOTIFY_SOCKET"), "") << each.id;
    EXPECT_EQ(variable(each, "LISTEN_FDS"), "") << each.id;
    EXPECT_EQ(variable(each, "PATH"), "/bin") << each.id;
  }
}

TEST_F(BlueprintTest, ACommandFindsItsPlaceInItsEnvironment) {
  with_port();
  const ChildSpec node =
      of(std::string(kCommand) + "environment = { PATH = \"/mine\", A = \"b=c\" }").node(1, 4000);
  EXPECT_THAT(node.command, ElementsAre("node", "a b.js"));
  EXPECT_EQ(variable(node, "PORT"), "4000");
  EXPECT_EQ(variable(node, "SERVER_ID"), "n1");
  EXPECT_EQ(variable(node, "REDIS_URL"), "redis://:secret@127.0.0.1:6400");
  EXPECT_EQ(variable(node, "REDIS_SOCKET"), "/run/x/redis.sock");
  EXPECT_EQ(variable(node, "PATH"), "/mine");
  EXPECT_EQ(variable(node, "A"), "b=c");
}

TEST_F(BlueprintTest, ARedisOfSomebodyElsesIsHandedOn) {
  site.redis_url = "rediss://u:p@h:1";
  const Blueprint command = of(kCommand);
  EXPECT_FALSE(command.manages_redis());
  EXPECT_EQ(variable(command.node(1, 4000), "REDIS_URL"), "rediss://u:p@h:1");
  EXPECT_EQ(variable(command.node(1, 4000), "REDIS_SOCKET"), "");
  const Blueprint own = of("[bundle]\nredis = \"rediss://u:p@h:1\"");
  EXPECT_EQ(flag(own.node(1, 0), "--redis"), "file:/run/x/redis.url");
  EXPECT_THAT(own.files(), Contains(testing::Pair("redis.url", "rediss://u:p@h:1\n")));
}

TEST_F(BlueprintTest, NoCommandLineHasAPassword) {
  with_port();
  const Blueprint bundle = of(kCommand);
  for (const ChildSpec& each : {bundle.redis(), bundle.node(1, 4000), bundle.proxy()}) {
    EXPECT_THAT(each.command, Not(Contains(HasSubstr("secret")))) << each.id;
  }
}

TEST_F(BlueprintTest, ManagedRedisKeepsNothingAndHasAPortForCommandsAlone) {
  EXPECT_THAT(of("[bundle]").redis_document(),
              testing::AllOf(HasSubstr("save \"\"\n"), HasSubstr("appendonly no\n"), HasSubstr("port 0\n"),
                             Not(HasSubstr("requirepass"))));
  with_port();
  EXPECT_THAT(of(kCommand).redis_document(),
              testing::AllOf(HasSubstr("port 6400\n"), HasSubstr("bind 127.0.0.1\n"),
                             HasSubstr("requirepass secret\n")));
}

TEST_F(BlueprintTest, AFolderWithSpacesAndQuotesIsOneWord) {
  site.folder = "/run/a \"b\"";
  EXPECT_THAT(of("[bundle]").redis_document(), HasSubstr("unixsocket \"/run/a \\\"b\\\"/redis.sock\"\n"));
}

TEST_F(BlueprintTest, TheProxysDocumentLoads) {
  const Blueprint bundle =
      of("[bundle]\n[pool.nodes.health]\nrise = 4\n[node]\npage = true\n[log]\nfile = \"/a/b\"");
  const config::Loaded proxy =
      config::load_text(bundle.proxy_document({bundle.node(1, 0), bundle.node(2, 3002)}), "generated");
  ASSERT_TRUE(proxy.config) << proxy.problems[0].message;
  EXPECT_FALSE(proxy.config->bundle);
  ASSERT_EQ(proxy.config->pools.size(), 1u);
  const config::Pool& pool = proxy.config->pools[0];
  EXPECT_EQ(pool.name, "nodes");
  EXPECT_EQ(pool.balance, config::Balance::least_connections);
  EXPECT_THAT(pool.affinity, ElementsAre(config::AffinityKind::sid));
  EXPECT_EQ(pool.health.rise, 4u);
  ASSERT_EQ(pool.servers.size(), 2u);
  EXPECT_EQ(pool.servers[1].address.text(), "127.0.0.1:3002");
  EXPECT_EQ(proxy.config->admin.address.text(), "unix:/run/x/proxy.sock");
  EXPECT_FALSE(proxy.config->log.file);
  EXPECT_EQ(proxy.config->listeners.at(0).address.text(), "127.0.0.1:8080");
}

TEST_F(BlueprintTest, WhatTheFileSaysOfThePoolHolds) {
  const Blueprint bundle =
      of("[bundle]\n[pool.nodes]\nbalance = \"source\"\n[[listener]]\naddress = \"127.0.0.1:1\"");
  const auto proxy = config::load_text(bundle.proxy_document({bundle.node(1, 0)}), "generated").config;
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->pools[0].balance, config::Balance::source);
  EXPECT_TRUE(proxy->pools[0].uses(config::AffinityKind::source));
  EXPECT_EQ(proxy->listeners.size(), 1u);
}

TEST_F(BlueprintTest, SessionsOfACommandAreAlsoHeldByCookie) {
  with_port();
  const Blueprint bundle = of(kCommand);
  const auto proxy = config::load_text(bundle.proxy_document({bundle.node(1, 4000)}), "generated").config;
  ASSERT_TRUE(proxy);
  EXPECT_TRUE(proxy->pools[0].uses(config::AffinityKind::cookie));
}

TEST_F(BlueprintTest, OtherPoolsAndRoutesStay) {
  const Blueprint bundle =
      of("[bundle]\n[pool.other]\nservers = [\"a=10.0.0.1:1\"]\n[[route]]\npath = \"/o\"\npool = \"other\"\n"
         "[[route]]\npool = \"nodes\"");
  const auto proxy = config::load_text(bundle.proxy_document({bundle.node(1, 0)}), "generated").config;
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->pools.size(), 2u);
  EXPECT_EQ(proxy->routes.size(), 2u);
}

TEST_F(BlueprintTest, TheNodesDocumentLoadsAndHasWhatIsTheirs) {
  const Blueprint bundle =
      of("[bundle]\n[limits]\nhead_fields = 50\n[node]\ndeflate = \"shared\"\n[log]\nfile = \"/a/b\"");
  const auto node = config::load_text(bundle.node_document(), "generated").config;
  ASSERT_TRUE(node);
  EXPECT_EQ(node->limits.head_fields, 50u);
  EXPECT_EQ(node->node.deflate, config::NodeDeflate::shared);
  EXPECT_FALSE(node->log.file);
}

TEST_F(BlueprintTest, PublicAddressesWithoutAKeyAreWarnedOf) {
  const std::string open =
      "[bundle]\n[[listener]]\naddress = \"0.0.0.0:80\"\n[[listener]]\naddress = \"127.0.0.1:81\"\n";
  EXPECT_THAT(of(open).warnings(), ElementsAre(HasSubstr("0.0.0.0:80 is reachable from elsewhere")));
  EXPECT_THAT(of(open + "[node]\njwt_key = \"/k\"").warnings(), testing::IsEmpty());
}

}  // namespace
}  // namespace limpet::bundle
