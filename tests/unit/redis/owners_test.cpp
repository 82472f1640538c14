#include <gtest/gtest.h>

#include "backend/redis/cluster.h"
#include "backend/redis/context.h"

namespace limpet::redis {
namespace {

struct Owners : testing::Test {
  net::Loop loop;
  Nodes nodes;
  Cluster cluster{std::make_shared<Context>(loop, Settings()), nodes};
  void SetUp() override {
    for (const char* host : {"a", "b"}) nodes.push_back(std::make_unique<Node>(Node{{host, 1}, {}, {}}));
  }
  bool take(std::uint16_t border) {
    return cluster.take({{0, border, {"a", 1}}, {static_cast<std::uint16_t>(border + 1), 16'383, {"b", 1}}});
  }
};

TEST_F(Owners, AreThoseOfTheRanges) {
  EXPECT_EQ(cluster.owner(0), nullptr);
  take(8'000);
  EXPECT_EQ(cluster.owner(8'000), nodes[0].get());
  EXPECT_EQ(cluster.owner(8'001), nodes[1].get());
  EXPECT_TRUE(cluster.take({{5, 5, {"b", 1}}}));
  EXPECT_EQ(cluster.owner(4), nullptr);
  EXPECT_EQ(cluster.owner(5), nodes[1].get());
}

TEST_F(Owners, ThatAreAsTheyWereAreNoNews) {
  EXPECT_TRUE(take(8'000));
  EXPECT_FALSE(take(8'000));
  EXPECT_TRUE(take(8'001));
  EXPECT_FALSE(take(8'001));
}

// A MOVED was believed before the table said it.
TEST_F(Owners, ThatWereToldBetweenTwoTablesAreNews) {
  take(8'000);
  cluster.moved(8'001, nodes[0].get());
  EXPECT_TRUE(take(8'001));
  EXPECT_FALSE(take(8'001));
  cluster.moved(0, nodes[0].get());
  EXPECT_FALSE(take(8'001)) << "it had it already";
}

}  // namespace
}  // namespace limpet::redis
