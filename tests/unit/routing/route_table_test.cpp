#include "routing/route_table.h"

#include <gtest/gtest.h>

namespace limpet::routing {
namespace {

constexpr auto none = std::nullopt;

RouteTable table(std::vector<RouteRule> rules) {
  return RouteTable(rules);
}

TEST(Routes, ARuleWithoutHostAndPathHoldsEverything) {
  const RouteTable routes = table({{{}, "/", 4}});
  for (const char* path : {"/", "/a", "/a/b?c", "*", ""}) {
    EXPECT_EQ(routes.find("example.org", path), 4u) << path;
    EXPECT_EQ(routes.find("", path), 4u) << path;
  }
}

TEST(Routes, NoRuleIsNoRoute) {
  EXPECT_EQ(table({}).find("example.org", "/"), none);
  EXPECT_EQ(table({{{"example.org"}, "/a", 1}}).find("example.org", "/"), none);
  EXPECT_EQ(table({{{"example.org"}, "/a", 1}}).find("example.com", "/a"), none);
}

TEST(Routes, APathIsAPrefixAtSegmentBoundaries) {
  const RouteTable routes = table({{{}, "/a", 1}});
  for (const char* path : {"/a", "/a/", "/a/b", "/a?x", "/a?x/y", "/a//"})
    EXPECT_EQ(routes.find("h", path), 1u) << path;
  for (const char* path : {"/ab", "/", "", "*", "/b/a", "a", "//a", "/A", "/%61", "/?/a"}) {
    EXPECT_EQ(routes.find("h", path), none) << path;
  }
}

TEST(Routes, APathThatEndsInASlashHoldsWhatIsBelowIt) {
  const RouteTable routes = table({{{}, "/socket.io/", 1}});
  EXPECT_EQ(routes.find("h", "/socket.io/"), 1u);
  EXPECT_EQ(routes.find("h", "/socket.io/?EIO=4"), 1u);
  EXPECT_EQ(routes.find("h", "/socket.io/x"), 1u);
  EXPECT_EQ(routes.find("h", "/socket.io"), none);
  EXPECT_EQ(routes.find("h", "/socket.iox/"), none);
}

TEST(Routes, TheLongestPathWins) {
  const RouteTable routes = table({{{}, "/", 0}, {{}, "/a/b", 2}, {{}, "/a", 1}, {{}, "/a/b/c/d", 4}});
  EXPECT_EQ(routes.find("h", "/x"), 0u);
  EXPECT_EQ(routes.find("h", "/a/x"), 1u);
  EXPECT_EQ(routes.find("h", "/a/b/c"), 2u);
  EXPECT_EQ(routes.find("h", "/a/b/c/d/e"), 4u);
}

TEST(Routes, AnExactHostGoesBeforeAWildcardAndThatBeforeAll) {
  const RouteTable routes = table({{{}, "/", 0},
                                   {{"*.example.org"}, "/", 1},
                                   {{"*.b.example.org"}, "/", 2},
                                   {{"a.b.example.org"}, "/", 3}});
  EXPECT_EQ(routes.find("a.b.example.org", "/"), 3u);
  EXPECT_EQ(routes.find("x.b.example.org", "/"), 2u);
  EXPECT_EQ(routes.find("x.y.b.example.org", "/"), 2u);
  EXPECT_EQ(routes.find("b.example.org", "/"), 1u);
  EXPECT_EQ(routes.find("example.org", "/"), 0u);
  EXPECT_EQ(routes.find("xexample.org", "/"), 0u);
  EXPECT_EQ(routes.find(".example.org", "/"), 0u);
}

TEST(Routes, AHostWithoutAMatchingPathFallsThrough) {
  const RouteTable routes = table({{{}, "/c", 0},
                                   {{"*.example.org"}, "/b", 1},
                                   {{"*.a.example.org"}, "/a", 2},
                                   {{"x.a.example.org"}, "/x", 3}});
  EXPECT_EQ(routes.find("x.a.example.org", "/x"), 3u);
  EXPECT_EQ(routes.find("x.a.example.org", "/a"), 2u);
  EXPECT_EQ(routes.find("x.a.example.org", "/b"), 1u);
  EXPECT_EQ(routes.find("x.a.example.org", "/c"), 0u);
  EXPECT_EQ(routes.find("x.a.example.org", "/d"), none);
}

TEST(Routes, HostsAreOfAnyCaseAndMayEndInADot) {
  const RouteTable routes = table({{{"Example.ORG"}, "/", 1}, {{"*.Example.NET."}, "/", 2}});
  EXPECT_EQ(routes.find("EXAMPLE.org.", "/"), 1u);
  EXPECT_EQ(routes.find("A.example.NET", "/"), 2u);
  EXPECT_EQ(routes.find("a.example.net.", "/"), 2u);
  EXPECT_EQ(routes.find("example.org..", "/"), none);
}

TEST(Routes, OneRuleMayHaveSeveralHosts) {
  const RouteTable routes = table({{{"a.org", "b.org", "*.c.org", "::1"}, "/p", 9}});
  for (const char* host : {"a.org", "b.org", "x.c.org", "::1"})
    EXPECT_EQ(routes.find(host, "/p"), 9u) << host;
}

TEST(Routes, OfEqualRulesTheEarlierHolds) {
  EXPECT_EQ(table({{{"a"}, "/", 1}, {{"A."}, "/", 2}}).find("a", "/"), 1u);
  EXPECT_EQ(table({{{}, "/x", 1}, {{}, "/x", 2}}).find("a", "/x"), 1u);
}

TEST(Routes, HostsThatNoNameHasAreNotLookedUp) {
  const RouteTable routes = table({{{"*.org"}, "/", 1}, {{}, "/", 2}});
  std::string huge(100'000, 'a');
  huge.replace(huge.size() - 4, 4, ".org");
  EXPECT_EQ(routes.find(huge, "/"), 2u);
  EXPECT_EQ(routes.find("...........org", "/"), 1u);
  EXPECT_EQ(routes.find(".", "/"), 2u);
  EXPECT_EQ(routes.find(std::string_view("a\0b.org", 7), "/"), 1u);
}

TEST(Routes, AMovedTableAnswersAsBefore) {
  RouteTable routes = table({{{}, "/", 1}});
  const RouteTable moved = std::move(routes);
  EXPECT_EQ(moved.find("h", "/"), 1u);
}

TEST(Routes, PathsOfManyLengthsAnswerEachItsOwn) {
  std::vector<RouteRule> rules;
  for (std::uint32_t i = 1; i < 300; ++i) rules.push_back({{}, "/" + std::string(i, 'a'), i});
  const RouteTable routes(rules);
  for (std::uint32_t i = 1; i < 300; ++i) {
    EXPECT_EQ(routes.find("h", "/" + std::string(i, 'a')), i);
    EXPECT_EQ(routes.find("h", "/" + std::string(i, 'a') + "/b"), i);
  }
  EXPECT_EQ(routes.find("h", "/"), std::nullopt);
  EXPECT_EQ(routes.find("h", ""), std::nullopt);
  EXPECT_EQ(routes.find("h", "/" + std::string(300, 'a')), std::nullopt);
}

TEST(Routes, TenThousandRoutesAnswerEachItsOwn) {
  std::vector<RouteRule> rules;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const std::string n = std::to_string(i);
    if (i % 3 == 0) rules.push_back({{"h" + n + ".example.org"}, "/", i});
    if (i % 3 == 1) rules.push_back({{"*.w" + n + ".example.org"}, "/x", i});
    if (i % 3 == 2) rules.push_back({{}, "/path/" + n, i});
  }
  const RouteTable routes(rules);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const std::string n = std::to_string(i);
    const std::string hosts[] = {"h" + n + ".example.org", "a.w" + n + ".example.org", "other"};
    const std::string paths[] = {"/y", "/x/y", "/path/" + n + "/y"};
    EXPECT_EQ(routes.find(hosts[i % 3], paths[i % 3]), i);
  }
}

}  // namespace
}  // namespace limpet::routing
