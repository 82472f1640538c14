// [node] and the flags of `limpet node`: one set of keys, one set of rules.
#include <gmock/gmock.h>

#include <algorithm>

#include "proxy/config/check_node.h"
#include "proxy/config/node_flags.h"
#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::shared_ptr<const Config> load(const std::string& lines) {
  const Loaded loaded = load_text("[node]\n" + lines, "f");
  EXPECT_TRUE(loaded.config) << lines << ": " << testing::PrintToString(printed(loaded.problems));
  return loaded.config;
}

TEST(NodeTable, AloneNeedsNoListenerAndNoPool) {
  const auto config = load("id = \"ws1\"");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->node.id, "ws1");
  EXPECT_TRUE(config->listeners.empty());
}

TEST(NodeTable, BesideAProxysTablesThoseAreChecked) {
  EXPECT_THAT(problems("[node]\n[[listener]]\naddress = \"0.0.0.0:80\"\n"),
              ElementsAre(HasSubstr("there is no pool")));
}

TEST(NodeTable, EveryKeyIsAFlagAndNoOther) {
  std::vector<std::string> flags, keys;
  for (const NodeFlag& each : node_flags()) flags.push_back(each.name);
  for (const KeyDoc& each : known_keys()) {
    if (each.table != "node") continue;
    std::string name = "--" + std::string(each.key);
    std::ranges::replace(name, '_', '-');
    keys.push_back(name);
  }
  std::ranges::sort(flags);
  std::ranges::sort(keys);
  EXPECT_EQ(flags, keys);
}

struct Case {
  const char* key;   // in a file
  const char* toml;  // its value there
  std::vector<std::string> flag;
};

TEST(NodeTable, SaysTheSameAsFlags) {
  const Case cases[] = {
      {"listen", "\"[::]:0\"", {"[::]:0"}},
      {"listen", "\"unix:/run/n.sock\"", {"unix:/run/n.sock"}},
      {"id", "\"a:b\"", {"a:b"}},
      {"admin", "\"unix:/run/a.sock\"", {"unix:/run/a.sock"}},
      {"namespaces", "[\"/\", \"/chat\"]", {"/", "/chat"}},
      {"path", "\"/x\"", {"/x"}},
      {"serve_client", "\"/dist\"", {"/dist"}},
      {"serve_client", "\"off\"", {"off"}},
      {"page", "true", {"true"}},
      {"adapter", "\"memory\"", {"memory"}},
      {"redis", "\"redis://u:p@h:1/2\"", {"redis://u:p@h:1/2"}},
      {"redis", "\"env:REDIS_URL\"", {"env:REDIS_URL"}},
      {"redis", "\"file:/run/redis\"", {"file:/run/redis"}},
      {"channel_prefix", "\"x\"", {"x"}},
      {"requests_timeout", "\"1s\"", {"1s"}},
      {"stream", "\"socket.io-stream\"", {"socket.io-stream"}},
      {"stream_max_length", "5", {"5"}},
      {"redis_sentinel_password", "\"secret\"", {"secret"}},
      {"presence", "false", {"false"}},
      {"presence_user", "\"u-<id>\"", {"u-<id>"}},
      {"max_connections", "7", {"7"}},
      {"max_payload", "\"1MiB\"", {"1MiB"}},
      {"max_payload", "2000", {"2000"}},
      {"events_per_second", "5", {"5"}},
      {"max_buffered", "\"1GiB\"", {"1GiB"}},
      {"ping_interval", "\"300ms\"", {"300ms"}},
      {"recovery", "\"2m\"", {"2m"}},
      {"cors_origins", "[\"*\"]", {"*"}},
      {"cors_origins", "[\"http://a:1\", \"https://b\"]", {"http://a:1", "https://b"}},
      {"cors_credentials", "true", {"true"}},
      {"cookie", "\"io\"", {"io"}},
      {"cookie", "\"off\"", {"off"}},
      {"http_compression", "false", {"false"}},
      {"deflate", "\"shared\"", {"shared"}},
      {"jwt_key", "\"/k\"", {"/k"}},
      {"raw", "\"topics\"", {"topics"}},
  };
  for (const Case& each : cases) {
    const auto config = load(std::string(each.key) + " = " + each.toml);
    ASSERT_TRUE(config);
    Node node;
    std::string name = "--" + std::string(each.key);
    std::ranges::replace(name, '_', '-');
    EXPECT_EQ(set_node_flag(node, name, each.flag), std::nullopt) << name;
    EXPECT_EQ(node, config->node) << name;
    EXPECT_TRUE(std::string_view(each.toml) == "\"off\"" || std::string_view(each.toml) == "\"memory\"" ||
                !(node == Node{}))
        << name;
  }
}

TEST(NodeTable, WrongValuesAreRefusedBothWays) {
  const std::pair<const char*, const char*> cases[] = {
      {"listen", "localhost:3000"},
      {"listen", "3000"},
      {"id", "a b"},
      {"id", ""},
      {"admin", "0.0.0.0:1"},
      {"admin", "[::]:1"},
      {"admin", "example.org:1"},
      {"namespaces", "chat"},
      {"namespaces", "/a,b"},
      {"path", "x"},
      {"adapter", "rediss"},
      {"redis", "127.0.0.1:6379"},
      {"redis", "http://h"},
      {"redis", "env:"},
      {"redis", "env:A B"},
      {"redis", "file:"},
      {"sharded", "on"},
      {"responses", "both"},
      {"requests_timeout", "1ms"},
      {"stream", ""},
      {"recovery_save", "always"},
      {"redis_sentinel_password", ""},
      {"presence_user", "user"},
      {"presence_sockets", "<id><id>"},
      {"ping_interval", "5"},
      {"ping_interval", "1ms"},
      {"drain_window", "366d"},
      {"cors_origins", "a"},
      {"cors_origins", "http://a/"},
      {"cors_origins", "http://A"},
      {"cookie", "a=b"},
      {"deflate", "on"},
      {"max_payload", "0B"},
      {"max_queued", "1TiB"},
      {"max_buffered", "1MiB"},
      {"jwt_key", ""},
      {"raw", "chat"},
      {"raw_path", "/health"},
      {"raw_idle_timeout", "1ms"},
  };
  for (const auto& [key, value] : cases) {
    std::string name = "--" + std::string(key);
    std::ranges::replace(name, '_', '-');
    Node node;
    EXPECT_TRUE(set_node_flag(node, name, {value})) << name << " " << value;
    const bool list = std::string_view(key) == "namespaces" || std::string_view(key) == "cors_origins";
    const std::string toml = list ? "[\"" + std::string(value) + "\"]" : "\"" + std::string(value) + "\"";
    EXPECT_EQ(problems("[node]\n" + std::string(key) + " = " + toml).size(), 1U) << key << " = " << toml;
  }
  Node node;
  for (const char* value : {"0", "-1", "x", "1x", "", "99999999999999999999"}) {
    EXPECT_TRUE(set_node_flag(node, "--max-connections", {value})) << value;
  }
  EXPECT_TRUE(set_node_flag(node, "--allow-eio3", {"yes"}));
  EXPECT_TRUE(set_node_flag(node, "--nothing", {"x"}));
  EXPECT_TRUE(set_node_flag(node, "--id", {}));
}

TEST(NodeTable, APageThatCouldNotWorkIsRefused) {
  EXPECT_THAT(problems("[node]\npage = true\njwt_key = \"k\""),
              ElementsAre(HasSubstr("it has no token to show")));
  EXPECT_THAT(problems("[node]\npage = true\npath = \"/\""), ElementsAre(HasSubstr("is taken by path")));
  EXPECT_THAT(problems("[node]\npage = true"), ::testing::IsEmpty());
}

// "env:$REDIS_URL", as a shell gives it.
TEST(NodeTable, WhatIsNoPlaceOfASecretIsNotShown) {
  for (const char* value :
       {"env:redis://:hunter2@h", "file:redis://:hunter2@h", "env:hunter2!", "redis://:hunter2@h:p"}) {
    Node node;
    const auto wrong = set_node_flag(node, "--redis", {value});
    ASSERT_TRUE(wrong) << value;
    EXPECT_EQ(wrong->find("hunter2"), std::string::npos) << *wrong;
  }
  Node node;
  const auto wrong = set_node_flag(node, "--redis-sentinel-password", {"env:hunter2!"});
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->find("hunter2"), std::string::npos) << *wrong;
}

TEST(NodeTable, KeysThatDoNotGoTogetherAreRefusedWithTheirPlace) {
  EXPECT_THAT(problems("[node]\nnamespaces = [\"/\", \"/a\", \"/\"]"),
              ElementsAre("f:2:14: node.namespaces: \"/\" is there twice; leave one out"));
  EXPECT_THAT(problems("[node]\nnamespaces = []"), ElementsAre(HasSubstr("f:2:14: node.namespaces: none")));
  EXPECT_THAT(problems("[node]\nraw = \"echo\"\nraw_path = \"/socket.io/\""),
              ElementsAre(HasSubstr("f:3:12: node.raw_path: \"/socket.io/\" is where Socket.IO is")));
  EXPECT_THAT(problems("[node]\nraw = \"echo\"\npath = \"/ws/\""),
              ElementsAre(HasSubstr("node.raw_path: \"/ws\" is where Socket.IO is")));
  EXPECT_THAT(problems("[node]\nmax_buffered = \"63MiB\""),
              ElementsAre(HasSubstr("f:2:16: node.max_buffered: this is for all clients together")));
  EXPECT_THAT(problems("[node]\nmax_payload = \"200MiB\""), ElementsAre(HasSubstr("node.max_buffered")));
  EXPECT_THAT(problems("[node]\ncors_origins = [\"http://a\", \"*\"]\ncors_credentials = true"),
              ElementsAre(HasSubstr("f:3:20: node.cors_credentials: browsers refuse")));
}

TEST(NodeTable, HowNodesAreJoinedFollowsFromWhatIsThere) {
  EXPECT_EQ(load("")->node.joined(), NodeAdapter::memory);
  EXPECT_EQ(load("redis = \"env:X\"")->node.joined(), NodeAdapter::redis);
  EXPECT_EQ(load("redis = \"env:X\"\nadapter = \"memory\"")->node.joined(), NodeAdapter::memory);
  EXPECT_EQ(load("redis = \"env:X\"\nadapter = \"redis_streams\"")->node.joined(),
            NodeAdapter::redis_streams);
  Node node;
  ASSERT_FALSE(set_node_flag(node, "--redis", {"redis://h"}));
  EXPECT_EQ(node.joined(), NodeAdapter::redis);
  EXPECT_TRUE(check_node(node).empty());
}

TEST(NodeTable, ContradictionsAboutRedisAreRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"adapter = \"redis\"", "f:2:11: node.adapter: nodes are joined through Redis"},
      {"adapter = \"redis_streams\"", "node.adapter"},
      {"redis = \"env:X\"\nrecovery = \"1m\"", "node.recovery: adapter redis keeps no messages"},
      {"redis = \"env:X\"\nrecovery_save = \"eager\"", "node.recovery_save: \"eager\" is for adapter"},
      {"redis = \"env:X\"\nadapter = \"redis_streams\"\nrecovery_save = \"eager\"", "saves nothing without"},
      {"redis = \"env:X\"\nadapter = \"redis_streams\"\nsharded = \"dynamic\"", "node.sharded"},
      {"redis = \"env:X\"\nredis_cert = \"c\"", "node.redis_cert: a certificate and its key"},
      {"redis = \"env:X\"\nredis_key = \"k\"", "node.redis_key: a certificate and its key"},
      {"redis = \"redis://h\"\nredis_ca = \"c\"", "node.redis_ca: the URL in redis is not one of TLS"},
      {"redis = \"env:X\"\npresence_sockets = \"user:<id>\"", "node.presence_sockets: \"user:<id>\" is what"},
      {"redis = \"env:X\"\npresence_nodes = \"user:connections\"", "node.presence_nodes"},
  };
  for (const auto& [lines, why] : cases)
    EXPECT_THAT(problems("[node]\n" + std::string(lines)), ElementsAre(HasSubstr(why))) << lines;
  for (const char* lines :
       {"redis = \"rediss://h\"\nredis_ca = \"c\"", "redis = \"file:/x\"\nredis_ca = \"c\"",
        "redis = \"env:X\"\nadapter = \"redis_streams\"\nrecovery = \"1m\"\nrecovery_save = \"eager\"",
        "redis = \"env:X\"\nadapter = \"redis_streams\"\nsharded = \"static\"", "recovery = \"1m\""})
    EXPECT_THAT(problems("[node]\n" + std::string(lines)), ElementsAre()) << lines;
}

TEST(NodeTable, KeysWithoutEffectAreWarnedOf) {
  const Loaded loaded = load_text("[node]\nstream = \"x\"\nstrict_health = true\nsharded = \"static\"", "f");
  ASSERT_TRUE(loaded.config);
  EXPECT_THAT(printed(loaded.warnings),
              ElementsAre(HasSubstr("f:2:10: node.stream: has no effect without adapter redis_streams"),
                          HasSubstr("f:3:17: node.strict_health: has no effect without redis"),
                          HasSubstr("f:4:11: node.sharded: has no effect with adapter memory")));
  EXPECT_TRUE(load_text("[node]\nredis = \"env:X\"\nstrict_health = true", "f").warnings.empty());
}

TEST(NodeTable, NoMessageHasAPassword) {
  for (const char* url : {"redis://u:hunter2@h:x", "http://u:hunter2@h", "redis://u:hunter2@", "hunter2",
                          "redis+sentinel://u:hunter2@h", "unix://u:hunter2@nowhere"}) {
    Node node;
    const auto wrong = set_node_flag(node, "--redis", {url});
    ASSERT_TRUE(wrong) << url;
    EXPECT_EQ(wrong->find("hunter2"), std::string::npos) << *wrong;
    const auto told = problems("[node]\nredis = \"" + std::string(url) + "\"");
    ASSERT_EQ(told.size(), 1U) << url;
    EXPECT_EQ(told.front().find("hunter2"), std::string::npos) << told.front();
  }
}

TEST(NodeTable, KeysThatDoNotMeetAreNoFault) {
  for (const char* lines :
       {"max_buffered = \"64MiB\"", "path = \"/ws\"", "raw = \"echo\"", "raw_path = \"/socket.io/\"",
        "raw = \"echo\"\npath = \"/\"", "namespaces = [\"/\", \"/a\"]",
        "cors_credentials = true\ncors_origins = [\"http://a\"]", "cors_origins = [\"*\"]"}) {
    EXPECT_THAT(problems("[node]\n" + std::string(lines)), ElementsAre()) << lines;
  }
}

TEST(NodeTable, FlagsAreCheckedTogetherToo) {
  Node node;
  EXPECT_TRUE(check_node(node).empty());
  ASSERT_FALSE(set_node_flag(node, "--namespaces", {"/", "/"}));
  ASSERT_EQ(check_node(node).size(), 1U);
  EXPECT_EQ(flag_of(check_node(node).front().key), "--namespaces");
}

}  // namespace
}  // namespace limpet::config
