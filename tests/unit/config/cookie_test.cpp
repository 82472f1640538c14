// The affinity cookie.
#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

TEST(Cookie, CookieKeysThatBrowsersWouldDropAreErrors) {
  EXPECT_THAT(with("[pool.ws.cookie]\nsame_site = \"none\""),
              ElementsAre(HasSubstr("\"none\" needs secure = true")));
  EXPECT_THAT(with("[pool.ws.cookie]\nsame_site = \"none\"\nsecure = true"), ElementsAre());
  EXPECT_THAT(with("[pool.ws.cookie]\npartitioned = true"), ElementsAre(HasSubstr("needs secure = true")));
  EXPECT_THAT(with("[pool.ws.cookie]\nname = \"a b\""), ElementsAre(HasSubstr("is not a token")));
  EXPECT_THAT(with("[pool.ws.cookie]\nmax_age = \"1500ms\""), ElementsAre(HasSubstr("whole seconds")));
  EXPECT_THAT(warned("[pool.ws.cookie]\nmode = \"off\"\nname = \"x\""),
              ElementsAre(HasSubstr("has no effect with mode")));
}

TEST(Cookie, ANamePrefixIsAPromiseThatBrowsersHold) {
  const auto named = [](const std::string& name, const std::string& more = "") {
    return with("[pool.ws.cookie]\nname = \"" + name + "\"\n" + more);
  };
  EXPECT_THAT(
      named("__Host-io"),
      ElementsAre(
          "f:7:8: pool.ws.cookie.name: \"__Host-io\" needs secure = true: browsers drop such a cookie "
          "otherwise"));
  EXPECT_THAT(named("__Host-io", "secure = \"auto\""), ElementsAre(HasSubstr("needs secure = true")));
  EXPECT_THAT(named("__Host-io", "secure = true"), ElementsAre());
  EXPECT_THAT(named("__Host-io", "secure = true\npath = \"/x\""),
              ElementsAre(HasSubstr("f:9:8: pool.ws.cookie.path: \"__Host-io\" needs path = \"/\"")));
  EXPECT_THAT(named("__Host-io", "secure = true\ndomain = \"example.org\""),
              ElementsAre(HasSubstr("f:9:10: pool.ws.cookie.domain: \"__Host-io\" must have none")));
  EXPECT_THAT(named("__host-io"), ElementsAre(HasSubstr("needs secure = true")));
  EXPECT_THAT(named("__Secure-io"), ElementsAre(HasSubstr("needs secure = true")));
  EXPECT_THAT(named("__Secure-io", "secure = true\npath = \"/x\"\ndomain = \"example.org\""), ElementsAre());
  EXPECT_THAT(named("__Other-io"), ElementsAre());
}

TEST(Cookie, ADomainHasTwoLabelsAndIsNoAddress) {
  const auto domain = [](const std::string& text) {
    return with("[pool.ws.cookie]\ndomain = \"" + text + "\"");
  };
  EXPECT_THAT(
      domain("localhost"),
      ElementsAre(
          "f:7:10: pool.ws.cookie.domain: \"localhost\" is a single label, for which browsers take no "
          "domain; leave the key out"));
  EXPECT_THAT(domain("localhost."), ElementsAre(HasSubstr("is a single label")));
  EXPECT_THAT(domain("10.0.0.1"), ElementsAre(HasSubstr("is an address, for which browsers take no domain")));
  EXPECT_THAT(domain("::1"), ElementsAre(HasSubstr("is an address")));
  EXPECT_THAT(domain("*.example.org"), ElementsAre(HasSubstr("holds for its sub-domains anyway")));
  EXPECT_THAT(domain(".example.org"), ElementsAre(HasSubstr("holds for its sub-domains anyway")));
  EXPECT_THAT(domain("example.org:80"), ElementsAre(HasSubstr("without a port")));
  EXPECT_EQ(loaded("[pool.ws.cookie]\ndomain = \"Example.ORG.\"")->pools[0].cookie.domain, "example.org");
}

TEST(Cookie, AttributesHaveNoEffectWhereTheServerSetsTheCookie) {
  EXPECT_THAT(
      warned("[pool.ws.cookie]\nmode = \"passive\"\non = \"all\""),
      ElementsAre(
          "f:8:6: pool.ws.cookie.on: has no effect with mode = \"passive\", where the server sets the "
          "cookie; leave it out"));
  EXPECT_THAT(warned("[pool.ws.cookie]\nmode = \"rewrite\"\non = \"all\""),
              ElementsAre(HasSubstr("no effect")));
  EXPECT_THAT(warned("[pool.ws.cookie]\nmode = \"passive\"\non = \"session\""), ElementsAre());
  for (const char* line : {"same_site = \"none\"", "secure = true", "http_only = false", "max_age = \"1d\"",
                           "partitioned = true"}) {
    for (const char* mode : {"passive", "rewrite"}) {
      EXPECT_THAT(warned(std::string("[pool.ws.cookie]\nmode = \"") + mode + "\"\n" + line),
                  ElementsAre(HasSubstr("has no effect with mode = ")))
          << line;
    }
  }
  EXPECT_THAT(warned("[pool.ws.cookie]\nmode = \"passive\"\nname = \"__Host-io\"\npath = \"/\""),
              ElementsAre());
}

TEST(Cookie, WhatHasNoEffectMustBeSoundAllTheSame) {
  EXPECT_THAT(with("[pool.ws.cookie]\nmode = \"off\"\nname = \"a b\""),
              ElementsAre(HasSubstr("is not a token")));
  EXPECT_THAT(with("[pool.ws.cookie]\nmode = \"passive\"\nsecure = 7"),
              ElementsAre(HasSubstr("cookie.secure")));
  EXPECT_THAT(with("[pool.ws.cookie]\nmode = \"off\"\nxyzzy_plugh = 1"),
              ElementsAre(HasSubstr("unknown key")));
}

TEST(Cookie, CookiesOfTwoPoolsMustNotOverwriteEachOther) {
  const std::string base =
      "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.a]\nservers = [\"a:1\"]\n[pool.b]\nservers = "
      "[\"b:1\"]\n";
  const auto routed = [&](const std::string& a, const std::string& b, const std::string& more = "") {
    return problems(base + more + "[[route]]\npool = \"a\"\n" + a + "\n[[route]]\npool = \"b\"\n" + b + "\n");
  };
  EXPECT_THAT(routed("path = \"/a\"", "path = \"/b\""),
              ElementsAre(HasSubstr("would overwrite that of pool.a")));
  EXPECT_THAT(routed("hosts = [\"a.org\"]", "hosts = [\"b.org\"]"), ElementsAre());
  EXPECT_THAT(routed("hosts = [\"*.a.org\"]", "hosts = [\"x.a.org\"]"),
              ElementsAre(HasSubstr("would overwrite")));
  EXPECT_THAT(routed("path = \"/a\"", "path = \"/b\"", "[pool.a.cookie]\nname = \"other\"\n"), ElementsAre());
  EXPECT_THAT(routed("path = \"/a\"", "path = \"/b\"",
                     "[pool.a.cookie]\npath = \"/a\"\n[pool.b.cookie]\npath = \"/b\"\n"),
              ElementsAre());
  EXPECT_THAT(
      routed("hosts = [\"x.a.org\"]", "hosts = [\"y.a.org\"]", "[pool.a.cookie]\ndomain = \"a.org\"\n"),
      ElementsAre(HasSubstr("would overwrite")));
}

// Pools that can collide are looked for by host: here are all ways in which two hosts can meet.
TEST(Cookie, PoolsThatCollideAreFoundWhicheverComesFirst) {
  struct Two {
    const char* a;
    const char* b;
    bool collide;
  };
  const auto routed = [](const std::string& a, const std::string& b) {
    const auto route = [](const char* pool, const std::string& hosts) {
      return std::string("[[route]]\npath = \"/") + pool + "\"\npool = \"" + pool + "\"\n" +
             (hosts.empty() ? "" : "hosts = [\"" + hosts + "\"]\n");
    };
    return problems(
               "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.a]\nservers = [\"a:1\"]\n[pool.b]\nservers = "
               "[\"b:1\"]\n" +
               route("a", a) + route("b", b))
        .size();
  };
  for (const Two& each :
       {Two{"", "a.org", true}, Two{"", "", true}, Two{"a.org", "a.org", true},
        Two{"*.a.org", "a.org", false}, Two{"*.a.org", "x.y.a.org", true}, Two{"*.a.org", "*.a.org", true},
        Two{"*.a.org", "*.x.a.org", true}, Two{"*.org", "*.b.org", true}, Two{"xa.org", "*.a.org", false},
        Two{"x.a.org", "a.org", false}, Two{"x.a.org", "y.a.org", false}}) {
    EXPECT_EQ(routed(each.a, each.b), each.collide ? 1u : 0u) << each.a << " and " << each.b;
    EXPECT_EQ(routed(each.b, each.a), each.collide ? 1u : 0u) << each.b << " and " << each.a;
  }
}

TEST(Cookie, OfAPoolTheFirstThatItCollidesWithIsShown) {
  std::string text = "[[listener]]\naddress = \"0.0.0.0:80\"\n";
  for (const char* name : {"a", "b", "c"}) {
    text += std::string("[pool.") + name + "]\nservers = [\"s:1\"]\n[[route]]\npath = \"/" + name +
            "\"\npool = \"" + name + "\"\n";
  }
  EXPECT_THAT(problems(text),
              ElementsAre(HasSubstr("pool.b.cookie: the cookie \"io\" would overwrite that of "
                                    "pool.a (line 3)"),
                          HasSubstr("that of pool.a (line 3)")));
}

}  // namespace
}  // namespace limpet::config
