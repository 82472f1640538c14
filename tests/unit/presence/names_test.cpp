#include "backend/presence/names.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <stdexcept>
#include <vector>

namespace limpet::presence {
namespace {

TEST(Names, AreThoseThatTheManualHas) {
  const Names names{NameSettings{}};
  EXPECT_EQ(names.connections(), "user:connections");
  EXPECT_EQ(names.of("ada").newest, "user:ada");
  EXPECT_EQ(names.of("ada").sockets, "user:ada:sockets");
  EXPECT_EQ(names.nodes(), "limpet:nodes");
  EXPECT_EQ(names.alive("ws1/x"), "limpet:nodes:{ws1/x}:alive");
  EXPECT_EQ(names.sockets_of_life("ws1/x"), "limpet:nodes:{ws1/x}:sockets");
}

TEST(Names, OfOrdinaryIdsAreTheIdsThemselves) {
  const Names names{NameSettings{}};
  for (const char* id : {"ada", "Ada Lovelace", "50%", "100%25", "a:b", ":sockets", "sockets",
                         "connections:", "\xc3\xbc", "<id>", "user:ada", "{ada}", "%", "%4", "%zz"}) {
    EXPECT_EQ(names.escaped(id), id);
  }
}

TEST(Names, ThatWouldBeAnothersAreEncoded) {
  const Names names{NameSettings{}};
  EXPECT_EQ(names.escaped("connections"), "%63onnections");
  EXPECT_EQ(names.escaped("x:sockets"), "x%3Asockets");
  EXPECT_EQ(names.escaped("x:sockets:sockets"), "x%3Asockets%3Asockets");
  // What looks like an encoded one is encoded itself.
  EXPECT_EQ(names.escaped("%63onnections"), "%2563onnections");
  EXPECT_EQ(names.escaped("%2563onnections"), "%252563onnections");
  EXPECT_EQ(names.escaped("x%3asockets"), "x%253asockets");
}

TEST(Names, OfNodesAreNobodys) {
  const Names names{NameSettings{.user = "limpet:<id>", .sockets = "limpet:<id>:s"}};
  EXPECT_EQ(names.escaped("nodes"), "%6Eodes");
  EXPECT_EQ(names.escaped("nodes:{ws1/x}:alive"), "nodes%3A%7Bws1%2Fx%7D%3Aalive");
}

// All names of all ids differ, whatever the patterns are like.
TEST(Names, OfDifferentIdsDiffer) {
  const NameSettings all[] = {{},
                              {.user = "<id>", .sockets = "<id>s"},
                              {.connections = "c", .user = "u<id>", .sockets = "us<id>"},
                              {.connections = "connections", .user = "<id>", .sockets = "<id>:sockets"},
                              {.user = "user:<id>:one", .sockets = "user:<id>"}};
  const std::vector<std::string> parts{"connections", ":", "sockets", "%", "%3A",  "%25", "s",
                                       "u",           "6", "3",       "x", ":one", "%63", "c"};
  std::mt19937 random(1);
  for (const NameSettings& settings : all) {
    const Names names{settings};
    std::set<std::string> ids, keys{names.connections()};
    for (int i = 0; i < 20'000; ++i) {
      std::string id;
      for (std::size_t n = 1 + random() % 5; n > 0; --n) id += parts[random() % parts.size()];
      if (!ids.insert(id).second) continue;
      const Names::User of = names.of(id);
      EXPECT_TRUE(keys.insert(of.newest).second) << settings.user << ": " << id << ": " << of.newest;
      EXPECT_TRUE(keys.insert(of.sockets).second) << settings.user << ": " << id << ": " << of.sockets;
    }
  }
}

TEST(Pattern, HasThePlaceholderOnce) {
  EXPECT_FALSE(Pattern::parse("user"));
  EXPECT_FALSE(Pattern::parse("<id><id>"));
  ASSERT_TRUE(Pattern::parse("a<id>b"));
  EXPECT_EQ(Pattern::parse("a<id>b")->with("x"), "axb");
  EXPECT_TRUE(Pattern::parse("a<id>b")->makes("axb"));
  EXPECT_FALSE(Pattern::parse("a<id>b")->makes("ab"));
  EXPECT_FALSE(Pattern::parse("aa<id>aa")->makes("aaa"));
  EXPECT_THROW(Names(NameSettings{.user = "x"}), std::invalid_argument);
}

}  // namespace
}  // namespace limpet::presence
