// How servers are probed.
#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

TEST(Health, HealthIsChecked) {
  EXPECT_THAT(with("[pool.ws.health]\nexpect = [200, \"300-399\"]"), ElementsAre());
  EXPECT_THAT(with("[pool.ws.health]\nexpect = 99"), ElementsAre(HasSubstr("is not a status")));
  EXPECT_THAT(with("[pool.ws.health]\nexpect = \"399-300\""), ElementsAre(HasSubstr("is not a status")));
  EXPECT_THAT(with("[pool.ws.health]\nfast_interval = \"5s\""),
              ElementsAre(HasSubstr("cannot be longer than interval")));
  EXPECT_THAT(with("[pool.ws.health]\nheaders = { Host = \"x\" }"),
              ElementsAre(HasSubstr("is set by limpet")));
  EXPECT_THAT(with("[pool.ws.health]\nheaders = { X = \"a\\r\\nb\" }"),
              ElementsAre(HasSubstr("without control characters")));
  EXPECT_THAT(with("[pool.ws.health]\npath = \"health\""), ElementsAre(HasSubstr("is not a path")));
  EXPECT_THAT(with("[pool.ws.health]\njitter = 0.9"), ElementsAre(HasSubstr("0 to 0.5 are accepted")));
}

TEST(Health, AnIntervalAloneNamesTheDefaultThatItIsUnder) {
  EXPECT_THAT(
      with("[pool.ws.health]\ninterval = \"100ms\""),
      ElementsAre("f:7:12: pool.ws.health.interval: \"100ms\" cannot be shorter than fast_interval, which is "
                  "\"500ms\" by default; write both"));
  EXPECT_THAT(
      with("[pool.ws.health]\nfast_interval = \"5s\""),
      ElementsAre(
          "f:7:17: pool.ws.health.fast_interval: \"5s\" cannot be longer than interval, which is \"2s\" "
          "by default"));
  EXPECT_THAT(with("[pool.ws.health]\ninterval = \"1s\"\nfast_interval = \"5s\""),
              ElementsAre(HasSubstr(
                  "f:8:17: pool.ws.health.fast_interval: \"5s\" cannot be longer than interval, which "
                  "is \"1s\"")));
  EXPECT_THAT(with("[pool.ws.health]\ninterval = 1\nfast_interval = \"5s\""),
              ElementsAre(HasSubstr("interval: a duration")));
}

TEST(Health, MethodsAreUpperCase) {
  EXPECT_THAT(
      with("[pool.ws.health]\nmethod = \"get\""),
      ElementsAre("f:7:10: pool.ws.health.method: \"get\" is not a method; it has upper-case letters alone: "
                  "write \"GET\""));
  EXPECT_THAT(with("[pool.ws.health]\nmethod = \"G T\""),
              ElementsAre(HasSubstr("write \"GET\" or \"HEAD\"")));
  EXPECT_THAT(with("[pool.ws.health]\nmethod = \"\""), ElementsAre(HasSubstr("write \"GET\" or \"HEAD\"")));
  EXPECT_THAT(with("[pool.ws.health]\nmethod = \"OPTIONS\""), ElementsAre());
}

TEST(Health, ABodyNeedsAMethodThatBringsOne) {
  EXPECT_THAT(with("[pool.ws.health]\nmethod = \"HEAD\"\nbody = \"ok\""),
              ElementsAre("f:8:8: pool.ws.health.body: cannot be found with method = \"HEAD\", whose answers "
                          "have none; leave one of "
                          "them out"));
}

TEST(Health, KeysOfHttpHaveNoEffectWithoutIt) {
  for (const char* line : {"path = \"/x\"", "method = \"GET\"", "host = \"a\"", "headers = {}",
                           "expect = 200", "body = \"x\""}) {
    for (const std::string type : {"tcp", "off"}) {
      EXPECT_THAT(warned("[pool.ws.health]\ntype = \"" + type + "\"\n" + line),
                  ElementsAre(HasSubstr(": has no effect with type = \"" + type + "\"; leave it out")))
          << line;
    }
  }
  for (const char* line :
       {"interval = \"1s\"", "fast_interval = \"1s\"", "timeout = \"1s\"", "jitter = 0.2", "rise = 1",
        "fall = 1", "port = 1", "slow_start = \"0s\"", "on_down = \"close\""}) {
    EXPECT_THAT(warned(std::string("[pool.ws.health]\ntype = \"tcp\"\n") + line), ElementsAre()) << line;
  }
}

TEST(Health, OffLeavesLittleToSay) {
  for (const char* line : {"fast_interval = \"1s\"", "timeout = \"1s\"", "jitter = 0.2", "rise = 1",
                           "fall = 1", "port = 1", "slow_start = \"0s\""}) {
    EXPECT_THAT(warned(std::string("[pool.ws.health]\ntype = \"off\"\n") + line),
                ElementsAre(HasSubstr("f:8:")))
        << line;
  }
  // A name that does not resolve is asked for again at the interval; an operator may take a server down.
  EXPECT_THAT(warned("[pool.ws.health]\ntype = \"off\"\non_down = \"close\"\ninterval = \"100ms\""),
              ElementsAre());
}

}  // namespace
}  // namespace limpet::config
