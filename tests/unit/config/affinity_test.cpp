// What holds a session on its server.
#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

TEST(Affinity, AffinityAndBalanceMustNotContradict) {
  EXPECT_THAT(in_pool("balance = \"round_robin\"\naffinity = [\"sid\", \"source\"]"),
              ElementsAre(HasSubstr("\"source\" holds every client")));
  EXPECT_THAT(in_pool("affinity = [\"sid\", \"sid\"]"), ElementsAre(HasSubstr("stands there twice")));
  EXPECT_THAT(in_pool("affinity = [\"cookie\"]\ncookie = { mode = \"off\" }"),
              ElementsAre(HasSubstr("\"cookie\" needs a cookie")));
  const auto least = load_text(std::string(kShortest) + "balance = \"least_connections\"\n", "f");
  ASSERT_TRUE(least.config);
  EXPECT_THAT(least.config->pools[0].affinity, ElementsAre(AffinityKind::sid, AffinityKind::cookie));
  const auto off = load_text(std::string(kShortest) + "cookie = { mode = \"off\" }\n", "f");
  ASSERT_TRUE(off.config);
  EXPECT_THAT(off.config->pools[0].affinity, ElementsAre(AffinityKind::sid, AffinityKind::source));
}

TEST(Affinity, ContradictionsAreShownAtTheWord) {
  EXPECT_THAT(in_pool("balance = \"round_robin\"\naffinity = [\"sid\", \"source\"]"),
              ElementsAre(HasSubstr("f:7:20: ")));
  EXPECT_THAT(
      in_pool("affinity = [\"sid\", \"cookie\"]\ncookie = { mode = \"off\" }"),
      ElementsAre("f:6:20: pool.ws.affinity: \"cookie\" needs a cookie, but [pool.ws.cookie] has mode = "
                  "\"off\"; leave one of them out"));
}

TEST(Affinity, ACookieThatItDoesNotNameHasNoEffect) {
  EXPECT_THAT(
      warned("affinity = [\"sid\", \"source\"]\n[pool.ws.cookie]\nname = \"x\""),
      ElementsAre(
          "f:7:1: pool.ws.cookie: has no effect, as affinity does not name \"cookie\"; add it there, or "
          "leave this table out"));
  EXPECT_THAT(warned("affinity = [\"sid\", \"cookie\"]\n[pool.ws.cookie]\nname = \"x\""), ElementsAre());
  EXPECT_THAT(warned("affinity = [\"sid\", \"source\"]\ncookie = { mode = \"off\" }"), ElementsAre());
  EXPECT_THAT(in_pool("affinity = [\"sid\", \"cokie\"]\n[pool.ws.cookie]\nname = \"x\""),
              ElementsAre(HasSubstr("\"cokie\" is not accepted")));
}

TEST(Affinity, WithoutEngineIoThereAreNoSids) {
  EXPECT_THAT(
      warned("engineio = false\naffinity = [\"sid\", \"source\"]"),
      ElementsAre("f:7:13: pool.ws.affinity: \"sid\" has no effect with engineio = false; leave it out"));
  EXPECT_THAT(warned("engineio = false\naffinity = [\"source\"]"), ElementsAre());
  EXPECT_THAT(loaded("engineio = false")->pools[0].affinity,
              ElementsAre(AffinityKind::cookie, AffinityKind::source));
  EXPECT_THAT(
      loaded("engineio = false\nbalance = \"random_two\"\ncookie = { mode = \"off\" }")->pools[0].affinity,
      ElementsAre());
}

}  // namespace
}  // namespace limpet::config
