// How many nodes there are, while Redis does not count this one: its subscription is not there, or not yet.
#include <gtest/gtest.h>

#include "tests/unit/cluster/classic_world.h"
#include "tests/unit/cluster/family_world.h"

namespace limpet::cluster {
namespace {

// Another node on a channel, who may do all; others may hear what `channels` are.
class Refused {
 public:
  Refused(redis::Server& server, const std::string& subscribe, const std::string& channel,
          const std::vector<std::string>& channels)
      : other_(server.socket()) {
    server({"ACL", "SETUSER", "other", "on", "nopass", "~*", "&*", "+@all"});
    other_({"AUTH", "other", "x"});
    other_({subscribe, channel});
    std::vector<std::string> words{"ACL", "SETUSER", "default", "resetchannels"};
    words.insert(words.end(), channels.begin(), channels.end());
    server(words);
  }

 private:
  redis::Admin other_;
};

using CountingByClassic = ClassicWorld;
using CountingBySharded = FamilyWorld;

// Who counts one node too few takes what it has for all there is.
TEST_F(CountingByClassic, ANodeThatRedisDoesNotCountIsThere) {
  Node& a = node();
  const Refused refused(*server, "SUBSCRIBE", "socket.io-request#/#",
                        {"&socket.io#*", "&socket.io-response#*"});
  ASSERT_TRUE(until([&] { return !a.classic->listening() && a.link->up(); }));
  std::size_t count = 0;
  a.classic->server_count([&](std::size_t nodes) { count = nodes; });
  ASSERT_TRUE(until([&] { return count > 0; }));
  EXPECT_EQ(count, 2U);
}

// Rooms' channels come and go, and may be on other servers than the channel on which nodes are counted.
TEST_F(CountingBySharded, ItIsTheChannelOfAllThatCounts) {
  Node& a = sharded_node();
  const Refused refused(*server, "SSUBSCRIBE", "socket.io#/#", {"&socket.io#/#?*"});
  ASSERT_TRUE(until([&] { return a.tally->gaps > 0 && a.link->up(); }));
  a.host.add("1", {"room"});
  ASSERT_TRUE(until([&] {
    return (*server)({"PUBSUB", "SHARDNUMSUB", "socket.io#/#room#"}).ends_with(" 1");
  }));
  std::size_t count = 0;
  a->server_count([&](std::size_t nodes) { count = nodes; });
  ASSERT_TRUE(until([&] { return count > 0; }));
  EXPECT_EQ(count, 2U);
}

}  // namespace
}  // namespace limpet::cluster
