// Where workers run, and who gets a connection.
#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

const auto& affinity_of(const std::shared_ptr<const Config>& config) {
  return config->proxy.cpu_affinity;
}

std::vector<std::string> in_proxy(const std::string& lines) {
  return with("[proxy]\n" + lines);
}

TEST(Cpus, AreNumbersAndRanges) {
  const auto config = loaded("[proxy]\ncpu_affinity = [6, \"0-2\", \"4,9\"]");
  ASSERT_TRUE(config);
  EXPECT_EQ(affinity_of(config).kind, CpuAffinity::Kind::list);
  EXPECT_THAT(affinity_of(config).cpus, ElementsAre(6, 0, 1, 2, 4, 9));
  EXPECT_EQ(affinity_of(config).line, 7);
  EXPECT_EQ(affinity_of(config).column, 16);
}

TEST(Cpus, OneTextWillDo) {
  EXPECT_THAT(affinity_of(loaded("[proxy]\ncpu_affinity = \"2-3\"")).cpus, ElementsAre(2, 3));
  EXPECT_THAT(affinity_of(loaded("[proxy]\ncpu_affinity = 5")).cpus, ElementsAre(5));
}

TEST(Cpus, WordsAreOffAndAuto) {
  EXPECT_EQ(affinity_of(loaded("[proxy]\ncpu_affinity = \"off\"")).kind, CpuAffinity::Kind::off);
  EXPECT_EQ(affinity_of(loaded("[proxy]\ncpu_affinity = \"auto\"")).kind, CpuAffinity::Kind::automatic);
  EXPECT_EQ(affinity_of(loaded("")).kind, CpuAffinity::Kind::off);
}

TEST(Cpus, WhatIsNoneIsNamedWithWhatIsAccepted) {
  EXPECT_THAT(
      in_proxy("cpu_affinity = \"on\""),
      ElementsAre("f:7:16: proxy.cpu_affinity: \"on\" is no CPU, of 0 to 1023; write \"off\", \"auto\" "
                  "or CPUs: [0, 1, \"4-7\"]"));
  for (const std::string item :
       {"-1", "1024", "\"3-1\"", "\"1-\"", "\"-1\"", "\"\"", "\"1,\"", "\"1, 2\"", "\"x\"", "99999999999"}) {
    EXPECT_THAT(in_proxy("cpu_affinity = [0, " + item + "]"), ElementsAre(HasSubstr("f:7:20: "))) << item;
  }
  EXPECT_THAT(in_proxy("cpu_affinity = [true]"), ElementsAre(HasSubstr("is no CPU; write")));
  EXPECT_THAT(in_proxy("cpu_affinity = true"), ElementsAre(HasSubstr("is no CPU; write")));
  EXPECT_THAT(in_proxy("cpu_affinity = []"), ElementsAre(HasSubstr("names no CPU; write")));
  EXPECT_THAT(in_proxy("cpu_affinity = [1, \"0-3\"]"), ElementsAre(HasSubstr("CPU 1 stands there twice")));
}

TEST(Cpus, BalanceByCpuNeedsACpuAWorker) {
  EXPECT_THAT(in_proxy("accept_balance = \"cpu\""),
              ElementsAre("f:7:18: proxy.accept_balance: \"cpu\" needs workers that are bound to CPUs; add "
                          "cpu_affinity = \"auto\""));
  EXPECT_THAT(in_proxy("accept_balance = \"cpu\"\nworkers = 3\ncpu_affinity = [0, 1]"),
              ElementsAre(HasSubstr("needs a CPU a worker; workers = 3 and cpu_affinity names 2")));
  EXPECT_THAT(in_proxy("accept_balance = \"cpu\"\nworkers = 2\ncpu_affinity = [0, 1]"), ElementsAre());
  EXPECT_THAT(in_proxy("accept_balance = \"cpu\"\ncpu_affinity = \"auto\""), ElementsAre());
  EXPECT_THAT(in_proxy("workers = 3\ncpu_affinity = [0, 1]"), ElementsAre());
}

TEST(Cpus, AWrongListIsNotAlsoALackOfOne) {
  EXPECT_THAT(in_proxy("accept_balance = \"cpu\"\ncpu_affinity = [\"x\"]"), testing::SizeIs(1));
  EXPECT_THAT(in_proxy("accept_balance = \"CPU\""), ElementsAre(HasSubstr("write \"hash\" or \"cpu\"")));
}

TEST(FastOpen, IsOffUnlessAskedFor) {
  EXPECT_FALSE(loaded("")->pools[0].fast_open);
  EXPECT_TRUE(loaded("fast_open = true")->pools[0].fast_open);
}

}  // namespace
}  // namespace limpet::config
