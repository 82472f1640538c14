// Which pool a request goes to.
#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

TEST(Routes, RoutesNeedPoolsThatExist) {
  const std::string two =
      "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.chat]\nservers = [\"a:1\"]\ncookie.name = "
      "\"c\"\n[pool.feed]\nservers = [\"b:1\"]\n";
  EXPECT_THAT(
      problems(two),
      ElementsAre("f:6:1: there are several pools and no route; add [[route]] with hosts, path and pool"));
  EXPECT_THAT(problems(two + "[[route]]\npool = \"chta\""),
              ElementsAre("f:9:8: route[0].pool: there is no pool \"chta\" (did you mean \"chat\"?)"));
  EXPECT_THAT(problems(two + "[[route]]\npath = \"/x\""),
              ElementsAre(HasSubstr(
                  "f:8:1: route[0].pool: missing, and there are several pools: \"chat\", \"feed\"")));
  EXPECT_THAT(problems(two + "[[route]]\npool = \"chat\"\n[[route]]\npool = \"feed\""),
              ElementsAre(HasSubstr("has the same host and path")));
  EXPECT_THAT(warnings(two + "[[route]]\npool = \"chat\""),
              ElementsAre(HasSubstr("pool.feed: no route leads to it")));
  EXPECT_THAT(problems(two + "[[route]]\npool = \"chat\"\nhosts = [\"a.*.b\"]"),
              ElementsAre(HasSubstr("is not a host")));
  EXPECT_THAT(problems(two + "[[route]]\npool = \"chat\"\npath = \"x\""),
              ElementsAre(HasSubstr("is not a path")));
}

TEST(Routes, ATwinIsNamedByTheFirstRouteOfAnyHostThatBothHave) {
  const std::string head = "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.a]\nservers = [\"a:1\"]\n";
  const auto route = [](const std::string& hosts, const std::string& path) {
    return "[[route]]\npool = \"a\"\npath = \"" + path + "\"\nhosts = [" + hosts + "]\n";
  };
  EXPECT_THAT(problems(head + route("\"x.org\", \"y.org\"", "/") + route("\"z.org\"", "/") +
                       route("\"y.org\"", "/y") + route("\"z.org\", \"y.org\"", "/")),
              ElementsAre(HasSubstr("route[3]: the route in line 5 has the same host and path")));
}

TEST(Routes, OfSeveralPoolsWithoutARouteTheSecondInTheFileIsShown) {
  EXPECT_THAT(
      problems("[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.z]\nservers = [\"a:1\"]\n[pool.m]\nservers = "
               "[\"b:1\"]\n[pool.a]\nservers = [\"c:1\"]\n"),
      ElementsAre(HasSubstr("f:5:1: there are several pools and no route")));
}

TEST(Routes, AnUnknownPoolThatIsLikeNoneNamesAll) {
  EXPECT_THAT(with("[[route]]\npool = \"something\""),
              ElementsAre("f:7:8: route[0].pool: there is no pool \"something\"; there are \"ws\""));
}

TEST(Routes, AWrongPoolNameIsNotAlsoAnUnusedPool) {
  const std::string two =
      "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.chat]\nservers = [\"a:1\"]\ncookie.name = "
      "\"c\"\n[pool.feed]\nservers = [\"b:1\"]\n";
  EXPECT_THAT(warnings(two + "[[route]]\npool = \"chta\""), ElementsAre());
  EXPECT_THAT(warnings(two + "[[route]]\npath = \"/x\""), ElementsAre());
  EXPECT_THAT(warnings(two + "[[route]]\npool = 7"), ElementsAre());
  EXPECT_THAT(warnings(two + "[[route]]\npool = \"chat\"\npath = \"x\""),
              ElementsAre(HasSubstr("pool.feed")));
}

TEST(Routes, WhatFollowsFromAnErrorIsNotShownBesideIt) {
  const std::string head = "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.a]\nservers = [\"a:1\"]\n";
  EXPECT_THAT(problems("route = 7\n" + head + "[pool.b]\nservers = [\"b:1\"]\n"),
              ElementsAre(HasSubstr("route: is a list of tables; write [[route]]")));
  EXPECT_THAT(problems(head + "[pool.\"b b\"]\nservers = [\"b:1\"]\n[[route]]\npool = \"b b\"\n"),
              ElementsAre(HasSubstr("pool: \"b b\" is not a name")));
  EXPECT_THAT(problems(head + "[[route]]\npool = \"a\"\n[[route]]\nhosts = [\"a:80\"]\npool = \"a\"\n"),
              ElementsAre(HasSubstr("is not a host")));
}

TEST(Routes, APoolNeedsAName) {
  const std::string head = "[[listener]]\naddress = \"0.0.0.0:80\"\n";
  EXPECT_THAT(
      problems(head + "[pool]\nservers = [\"a:1\"]\nbalance = \"source\"\ncookie = { name = \"x\" }\n"),
      ElementsAre("f:4:1: pool: a pool needs a name: write [pool.ws]"));
  EXPECT_THAT(problems(head + "[pool]\nserver = [\"a:1\"]\n"),
              ElementsAre("f:4:1: pool.server: a table is expected; write [pool.server]"));
  EXPECT_THAT(problems(head + "[pool.servers]\nservers = [\"a:1\"]\n"), ElementsAre());
}

}  // namespace
}  // namespace limpet::config
