#include <gtest/gtest.h>

#include "backend/redis/settings.h"

namespace limpet::redis {
namespace {

Settings good(std::string_view url) {
  auto parsed = parse_url(url);
  if (const auto* wrong = std::get_if<std::string>(&parsed)) {
    ADD_FAILURE() << url << ": " << *wrong;
    return {};
  }
  return std::get<Settings>(parsed);
}

std::string wrong(std::string_view url) {
  const auto parsed = parse_url(url);
  return std::holds_alternative<std::string>(parsed) ? std::get<std::string>(parsed) : "";
}

TEST(Url, OneServer) {
  const Settings settings = good("redis://example.org");
  EXPECT_EQ(settings.kind, Kind::single);
  EXPECT_EQ(settings.endpoints, (std::vector<Endpoint>{{"example.org", 6379}}));
  EXPECT_TRUE(settings.password.empty());
  EXPECT_FALSE(settings.tls.on);
  EXPECT_EQ(good("redis://[::1]:7000/5").endpoints, (std::vector<Endpoint>{{"::1", 7000}}));
  EXPECT_EQ(good("redis://[::1]:7000/5").db, 5u);
  EXPECT_EQ(good("redis://h/").db, 0u);
  EXPECT_EQ(good("redis://h?db=4").db, 4u);
  EXPECT_TRUE(good("rediss://h").tls.on);
}

TEST(Url, UserAndPasswordAreDecoded) {
  EXPECT_EQ(good("redis://:secret@h").password, "secret");
  EXPECT_EQ(good("redis://:secret@h").user, "");
  EXPECT_EQ(good("redis://us%40er:p%2fw%3A@h:1/2").user, "us@er");
  EXPECT_EQ(good("redis://us%40er:p%2fw%3A@h:1/2").password, "p/w:");
}

TEST(Url, APasswordThatNobodyEncodedIsNoHost) {
  EXPECT_EQ(good("redis://:a@b/c?d@h:1").password, "a@b/c?d");
  EXPECT_EQ(good("redis://:a@b/c?d@h:1").endpoints, (std::vector<Endpoint>{{"h", 1}}));
}

TEST(Url, AUnixSocket) {
  EXPECT_EQ(good("unix:///run/redis.sock").endpoints[0].host, "/run/redis.sock");
  EXPECT_EQ(good("unix:///run/redis.sock?db=7").db, 7u);
  EXPECT_EQ(good("unix:/run/redis.sock?db=7").endpoints[0].host, "/run/redis.sock");
  EXPECT_EQ(good("unix://user:pw@/run/a%20b.sock").endpoints[0].host, "/run/a b.sock");
  EXPECT_EQ(good("unix://user:pw@/run/a%20b.sock").password, "pw");
}

TEST(Url, Sentinels) {
  const Settings settings = good("redis+sentinel://:pw@a,b:1,[::2]:3/mymaster/2");
  EXPECT_EQ(settings.kind, Kind::sentinel);
  EXPECT_EQ(settings.endpoints, (std::vector<Endpoint>{{"a", 26379}, {"b", 1}, {"::2", 3}}));
  EXPECT_EQ(settings.master, "mymaster");
  EXPECT_EQ(settings.db, 2u);
  EXPECT_EQ(settings.password, "pw");
  EXPECT_TRUE(good("rediss+sentinel://a/m").tls.on);
}

TEST(Url, Clusters) {
  EXPECT_EQ(good("redis+cluster://a:1,b:2").endpoints, (std::vector<Endpoint>{{"a", 1}, {"b", 2}}));
  EXPECT_EQ(good("rediss+cluster://a").kind, Kind::cluster);
  EXPECT_TRUE(good("rediss+cluster://a").tls.on);
}

TEST(Url, WhatIsWrongIsSaidWithoutThePassword) {
  for (const std::string_view url : {"",
                                     "h",
                                     "http://h",
                                     "redis:/h",
                                     "redis+unix:///tmp/redis.sock",
                                     "redis://",
                                     "redis://:secret@",
                                     "redis://:secret@h:0",
                                     "redis://:secret@h:65536",
                                     "redis://:secret@h:x",
                                     "redis://:secret@h:1:2",
                                     "redis://:secret@h/x",
                                     "redis://:secret@h/-1",
                                     "redis://:secret@h/99999999999",
                                     "redis://:secret@h/1/2",
                                     "redis://:secret@a,b",
                                     "redis://:secret%@h",
                                     "redis://:secret%zz@h",
                                     "redis://:secret%00@h",
                                     "redis://user@h",
                                     "redis://[::1",
                                     "redis://[::1]x",
                                     "redis://:secret@h?x=1",
                                     "redis://a b",
                                     "unix://",
                                     "unix:///",
                                     "unix://relative",
                                     "unix:///a?db=x",
                                     "redis+sentinel://a",
                                     "redis+sentinel://a/",
                                     "redis+cluster://a/1",
                                     "redis+cluster://a,,b",
                                     "redis+cluster://"}) {
    EXPECT_FALSE(wrong(url).empty()) << url;
    EXPECT_EQ(wrong(url).find("secret"), std::string::npos) << url;
  }
  EXPECT_FALSE(wrong("unix:///" + std::string(200, 'a')).empty());
  EXPECT_FALSE(wrong("redis://" + std::string(300, 'a')).empty());
  std::string many = "redis+cluster://a";
  for (int i = 0; i < 100; ++i) many += ",a";
  EXPECT_FALSE(wrong(many).empty());
}

TEST(Url, WhatIsShownHasNoSecret) {
  EXPECT_EQ(shown(good("redis://user:secret@h/3")), "redis://h:6379/3");
  EXPECT_EQ(shown(good("rediss://[::1]:1")), "rediss://[::1]:1");
  EXPECT_EQ(shown(good("unix://user:secret@/run/r.sock?db=2")), "unix:///run/r.sock?db=2");
  EXPECT_EQ(shown(good("redis+sentinel://:secret@a,b:2/m/1")), "redis+sentinel://a:26379,b:2/m/1");
  EXPECT_EQ(shown(good("rediss+cluster://:secret@a")), "rediss+cluster://a:6379");
}

}  // namespace
}  // namespace limpet::redis
