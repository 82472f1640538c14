// One name: what answers make of it, when it is asked for again, what is told.
#include "proxy/discovery/name.h"

#include "tests/unit/discovery/answers.h"

namespace limpet::discovery {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Asked : testing::Test {
  Name name{"ws.test"};
  Name::Step step;

  bool hears(const net::DnsRecords& v4, const net::DnsRecords& v6 = none(), double random = 0) {
    step = name.on_answer({v4, v6}, random);
    return step.changed;
  }
  std::vector<std::string> known() const { return texts(name.addresses()); }
  std::vector<std::string> said() const {
    std::vector<std::string> out;
    for (const Name::Line& each : step.said) out.push_back((each.warning ? "warn " : "info ") + each.text);
    return out;
  }
};

TEST_F(Asked, AddressesAreInOrderAndEachOnce) {
  EXPECT_TRUE(hears(found({"10.0.0.2", "10.0.0.1", "10.0.0.2"}), found({"fd00::2", "fd00::1"})));
  EXPECT_THAT(known(), ElementsAre("10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"));
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(Asked, AnotherOrderIsNoChange) {
  hears(found({"10.0.0.1", "10.0.0.2"}));
  EXPECT_FALSE(hears(found({"10.0.0.2", "10.0.0.1"})));
}

TEST_F(Asked, GrowsAndShrinks) {
  hears(found({"10.0.0.1"}));
  EXPECT_TRUE(hears(found({"10.0.0.1", "10.0.0.2"})));
  EXPECT_THAT(known(), ElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_TRUE(hears(found({"10.0.0.2"})));
  EXPECT_THAT(known(), ElementsAre("10.0.0.2"));
  EXPECT_TRUE(hears(none(), found({"fd00::1"}))) << "a name may change its family";
  EXPECT_THAT(known(), ElementsAre("fd00::1"));
}

TEST_F(Asked, TheTtlSaysWhenWithinBounds) {
  EXPECT_EQ(clamp_ttl_ms(0), 1'000u);
  EXPECT_EQ(clamp_ttl_ms(1), 1'000u);
  EXPECT_EQ(clamp_ttl_ms(29), 29'000u);
  EXPECT_EQ(clamp_ttl_ms(31), 30'000u);
  EXPECT_EQ(clamp_ttl_ms(0xffffffff), 30'000u);
  hears(found({"10.0.0.1"}, 7));
  EXPECT_EQ(step.ask_again_ms, 7'000u);
  hears(found({"10.0.0.1"}, 20), found({"fd00::1"}, 3));
  EXPECT_EQ(step.ask_again_ms, 3'000u) << "the shorter of the two";
  hears(none(), found({"fd00::1"}, 12));
  EXPECT_EQ(step.ask_again_ms, 12'000u);
}

TEST_F(Asked, BacksOffWithinBounds) {
  std::vector<std::uint64_t> waits;
  for (std::uint32_t n = 1; n <= 8; ++n) waits.push_back(back_off_ms(n, 0));
  EXPECT_THAT(waits, ElementsAre(1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000, 30'000));
  EXPECT_EQ(back_off_ms(0xffffffff, 0), 30'000u);
  EXPECT_EQ(back_off_ms(4, 0.5), 7'600u);
  EXPECT_GE(back_off_ms(1, 0.999), 900u);
}

TEST_F(Asked, TroubleKeepsTheLastAnswerAndIsToldOnceAndSoIsItsEnd) {
  hears(found({"10.0.0.1", "10.0.0.2"}));
  for (std::uint64_t wait : {1'000, 2'000, 4'000}) {
    EXPECT_FALSE(hears(failed("Timeout"), failed("Timeout")));
    EXPECT_THAT(known(), ElementsAre("10.0.0.1", "10.0.0.2"));
    EXPECT_EQ(step.ask_again_ms, wait);
    if (wait == 1'000) {
      EXPECT_THAT(said(), ElementsAre("warn ws.test: Timeout; its 2 addresses are kept"));
    } else {
      EXPECT_THAT(said(), IsEmpty());
    }
  }
  EXPECT_FALSE(hears(found({"10.0.0.1", "10.0.0.2"})));
  EXPECT_THAT(said(), ElementsAre("info ws.test resolves again"));
  EXPECT_EQ(step.ask_again_ms, 5'000u);
  hears(failed(), failed());
  EXPECT_EQ(step.ask_again_ms, 1'000u) << "from the beginning";
  EXPECT_THAT(said(), ElementsAre(HasSubstr("nobody answers")));
}

TEST_F(Asked, ANameThatDoesNotExistAnyMoreIsKept) {
  hears(found({"10.0.0.1"}));
  EXPECT_FALSE(hears(none("the name does not exist"), none("the name does not exist")));
  EXPECT_THAT(known(), ElementsAre("10.0.0.1"));
  EXPECT_THAT(said(), ElementsAre("warn ws.test: the name does not exist; its address is kept"));
}

TEST_F(Asked, ANameThatNeverResolvedHasNoServer) {
  EXPECT_FALSE(hears(none("the name does not exist"), failed("Timeout")));
  EXPECT_THAT(known(), IsEmpty());
  EXPECT_THAT(said(), ElementsAre("warn ws.test: Timeout; there is no server of it until it resolves"));
  EXPECT_TRUE(hears(found({"10.0.0.1"})));
  EXPECT_THAT(said(), ElementsAre("info ws.test resolves"));
}

TEST_F(Asked, HalfAnAnswerTakesNothingAwayFromTheOtherHalf) {
  hears(found({"10.0.0.1"}), found({"fd00::1"}));
  EXPECT_TRUE(hears(failed("SERVFAIL"), found({"fd00::2"})));
  EXPECT_THAT(known(), ElementsAre("10.0.0.1", "fd00::2"));
  EXPECT_THAT(said(), ElementsAre("warn ws.test (A): SERVFAIL; its address is kept"));
  EXPECT_EQ(step.ask_again_ms, 5'000u);
  EXPECT_FALSE(hears(failed("SERVFAIL"), found({"fd00::2"})));
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_TRUE(hears(none(), found({"fd00::2"}))) << "a server says that it has none";
  EXPECT_THAT(known(), ElementsAre("fd00::2"));
}

TEST_F(Asked, AKindOfRecordsThatNeverWorkedIsNobodysBusiness) {
  EXPECT_TRUE(hears(found({"10.0.0.1"}), failed("Not implemented")));
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_EQ(step.ask_again_ms, 5'000u);
}

TEST_F(Asked, WhatStandsForNobodyIsNoAddress) {
  EXPECT_FALSE(hears(found({"0.0.0.0"}), found({"::"})));
  EXPECT_THAT(known(), IsEmpty());
  EXPECT_TRUE(hears(found({"10.0.0.1", "0.0.0.0"})));
  EXPECT_THAT(known(), ElementsAre("10.0.0.1"));
}

TEST_F(Asked, NorDoesItTakeAnyAway) {
  hears(found({"10.0.0.1"}), found({"fd00::1"}));
  EXPECT_FALSE(hears(found({"0.0.0.0"}), found({"fd00::1"})));
  EXPECT_THAT(known(), ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_THAT(said(), ElementsAre("warn ws.test (A): its addresses stand for nobody; its address is kept"));
  EXPECT_FALSE(hears(found({"0.0.0.0"}), found({"::"})));
  EXPECT_THAT(known(), ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_THAT(said(), ElementsAre("warn ws.test: its addresses stand for nobody; its 2 addresses are kept"));
}

std::vector<std::string> many(int from, int to) {
  std::vector<std::string> out;
  for (int i = from; i < to; ++i)
    out.push_back("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256));
  return out;
}

TEST_F(Asked, AnswersAreBoundedAndItIsToldOnce) {
  EXPECT_TRUE(hears(found(many(0, 300))));
  EXPECT_EQ(name.addresses().size(), kMostAddresses);
  EXPECT_THAT(said(), ElementsAre("warn ws.test has 300 addresses; 256 of them are servers"));
  EXPECT_FALSE(hears(found(many(0, 301))));
  EXPECT_THAT(said(), IsEmpty());
  hears(found(many(0, 256)));
  EXPECT_THAT(said(), IsEmpty());
  hears(found(many(0, 257)));
  EXPECT_EQ(said().size(), 1u);
}

TEST_F(Asked, WhoIsAServerStaysOneWhereTheAnswerIsCut) {
  hears(found(many(100, 356)));
  EXPECT_FALSE(hears(found(many(0, 356)))) << "others come first in order";
  hears(found(many(0, 355)));
  EXPECT_EQ(name.addresses().size(), kMostAddresses);
  EXPECT_EQ(known().front(), "10.0.0.0") << "one has gone, the first in order takes its place";
  EXPECT_EQ(known()[1], "10.0.0.100");
}

}  // namespace
}  // namespace limpet::discovery
