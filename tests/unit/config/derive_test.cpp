// The documents of the bundle's children: whatever its owner wrote, they load.
#include "proxy/config/derive.h"

#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

using testing::ElementsAre;

class DeriveTest : public testing::Test {
 protected:
  // The bundle's pool in the proxy's document.
  Pool pool(const std::string& owners) {
    EXPECT_TRUE(load_text(owners, "owners").config) << owners;
    const Loaded loaded = load_text(proxy_document(owners, bundle), "proxy");
    EXPECT_TRUE(loaded.config) << owners << testing::PrintToString(printed(loaded.problems));
    EXPECT_THAT(printed(loaded.warnings), testing::IsEmpty()) << owners;
    proxy = loaded.config;
    return proxy ? *proxy->find_pool("nodes") : Pool{};
  }
  BundleProxy bundle{{{"n1", "unix:/x/n1.sock"}}, false, "127.0.0.1:8080",
                     "unix:/x/proxy.sock",        false, std::chrono::seconds(30)};
  std::shared_ptr<const Config> proxy;
};

TEST_F(DeriveTest, SidsHoldSessionsAndTheIdlestNodeGetsThem) {
  const Pool nodes = pool("[bundle]");
  EXPECT_THAT(nodes.affinity, ElementsAre(AffinityKind::sid));
  EXPECT_EQ(nodes.balance, Balance::least_connections);
  bundle.cookie = true;
  EXPECT_THAT(pool("[bundle]").affinity, ElementsAre(AffinityKind::sid, AffinityKind::cookie));
}

TEST_F(DeriveTest, WhatTheOwnerSaysOfAffinityHolds) {
  EXPECT_THAT(pool("[bundle]\n[pool.nodes]\naffinity = [\"source\"]").affinity,
              ElementsAre(AffinityKind::source));
  EXPECT_THAT(pool("[bundle]\n[pool.nodes]\naffinity = [\"cookie\"]").affinity,
              ElementsAre(AffinityKind::cookie));
  EXPECT_THAT(pool("[bundle]\n[pool.nodes.cookie]\nname = \"x\"").affinity,
              ElementsAre(AffinityKind::sid, AffinityKind::cookie));
  EXPECT_EQ(pool("[bundle]\n[pool.nodes]\nbalance = \"round_robin\"").balance, Balance::round_robin);
  EXPECT_EQ(pool("[bundle]\n[pool.nodes]\nbalance = \"source\"").balance, Balance::source);
  EXPECT_FALSE(pool("[bundle]\n[pool.nodes]\nengineio = false").uses(AffinityKind::sid));
}

TEST_F(DeriveTest, ACookieThatIsOffHoldsNobody) {
  bundle.cookie = true;
  EXPECT_THAT(pool("[bundle]\n[pool.nodes.cookie]\nmode = \"off\"").affinity, ElementsAre(AffinityKind::sid));
}

TEST_F(DeriveTest, TheOwnersFileSaysOfItsPoolWhatTheProxysSays) {
  for (const std::string command : {"", "command = [\"x\"]\n"}) {
    bundle.cookie = !command.empty();
    for (const std::string keys :
         {"[pool.nodes]", "[pool.nodes]\nbalance = \"round_robin\"", "[pool.nodes]\naffinity = [\"sid\"]",
          "[pool.nodes]\nengineio = false", "[pool.nodes.cookie]\nname = \"x\"",
          "[pool.nodes.cookie]\nmode = \"off\""}) {
      const std::string owners = "[bundle]\n" + command + keys;
      const Pool derived = pool(owners);
      const auto config = load_text(owners, "owners").config;
      ASSERT_TRUE(config);
      EXPECT_EQ(config->find_pool("nodes")->affinity, derived.affinity) << owners;
      EXPECT_EQ(config->find_pool("nodes")->balance, derived.balance) << owners;
    }
  }
}

TEST_F(DeriveTest, AFileWithoutAListenerHasTheBundles) {
  pool("listener = []\n[bundle]");
  EXPECT_EQ(proxy->listeners.at(0).address.text(), "127.0.0.1:8080");
  pool("[bundle]\n[[listener]]\naddress = \"[::1]:80\"");
  EXPECT_EQ(proxy->listeners.size(), 1u);
}

TEST_F(DeriveTest, TheAccessLogIsQuietOnlyIfNobodyAskedForIt) {
  bundle.quiet = true;
  pool("[bundle]");
  EXPECT_FALSE(proxy->log.access);
  pool("[bundle]\n[log]\naccess = \"on\"");
  EXPECT_TRUE(proxy->log.access);
}

TEST_F(DeriveTest, TextsComeThroughAsTheyAre) {
  for (const std::string seed : {R"("a \"b\" \\ \u00e4 ' # '''' ]")", R"('\n"')", R"("'")"}) {
    const std::string owners = "[bundle]\n[proxy]\nhash_seed = " + seed;
    pool(owners);
    EXPECT_EQ(proxy->proxy.hash_seed, load_text(owners, "owners").config->proxy.hash_seed) << seed;
  }
}

TEST_F(DeriveTest, TheNodesDocumentIsOfTheNodesAlone) {
  const Loaded node = load_text(
      node_document("[bundle]\n[admin]\naddress = \"127.0.0.1:1\"\n[node]\ndeflate = \"shared\""), "n");
  ASSERT_TRUE(node.config);
  EXPECT_TRUE(node.config->admin.by_default);
  EXPECT_EQ(node.config->node.deflate, NodeDeflate::shared);
  EXPECT_TRUE(load_text(node_document("[bundle]"), "n").config);
}

TEST_F(DeriveTest, TheNodesDocumentSaysHowTheyAreJoined) {
  const std::string owners = "[bundle]\n[node]\nrecovery = \"2m\"\nrecovery_save = \"eager\"";
  const Loaded node =
      load_text(node_document(owners, "unix:/x/redis.sock", BundleAdapter::redis_streams), "n");
  ASSERT_TRUE(node.config) << testing::PrintToString(printed(node.problems));
  EXPECT_EQ(node.config->node.redis, "unix:/x/redis.sock");
  EXPECT_EQ(node.config->node.joined(), NodeAdapter::redis_streams);
}

}  // namespace
}  // namespace limpet::config
