#include "proxy/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace limpet {
namespace {

using config::AcceptBalance;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = config::CpuAffinity::Kind;

struct Placing : testing::Test {
  config::Proxy proxy;
  Placement place(std::vector<net::Cpu> usable) { return place_workers(proxy, usable); }
  std::string problem(std::vector<net::Cpu> usable) {
    const Placement placement = place(std::move(usable));
    return placement.problems.size() == 1 ? config::format("f", placement.problems[0]) : "";
  }
  void list(std::vector<std::uint16_t> cpus) { proxy.cpu_affinity = {Kind::list, std::move(cpus), 3, 16}; }
};

TEST_F(Placing, UnboundWorkersAreOneAUsableCpu) {
  EXPECT_EQ(place({1, 2, 5}).workers, 3u);
  EXPECT_THAT(place({1, 2, 5}).cpus, IsEmpty());
  EXPECT_FALSE(place({1, 2, 5}).cpu_of(0));
  proxy.workers = 8;
  EXPECT_EQ(place({1, 2, 5}).workers, 8u);
}

TEST_F(Placing, AutomaticIsEachUsableCpuInTurn) {
  proxy.cpu_affinity.kind = Kind::automatic;
  EXPECT_THAT(place({1, 2, 5}).cpus, ElementsAre(1, 2, 5));
  proxy.workers = 2;
  EXPECT_THAT(place({1, 2, 5}).cpus, ElementsAre(1, 2));
  proxy.workers = 5;
  EXPECT_THAT(place({1, 2, 5}).cpus, ElementsAre(1, 2, 5, 1, 2));
  EXPECT_THAT(place({1, 2, 5}).problems, IsEmpty());
}

TEST_F(Placing, AListIsInItsOwnOrder) {
  list({5, 1});
  const Placement placement = place({1, 2, 5});
  EXPECT_EQ(placement.workers, 2u);
  EXPECT_THAT(placement.cpus, ElementsAre(5, 1));
  EXPECT_EQ(placement.cpu_of(1), 1);
}

TEST_F(Placing, ACpuThatTheProcessMayNotUseIsNamedWithItsPlace) {
  list({0, 9, 7, 8});
  EXPECT_EQ(problem({0, 1, 2, 3, 6}),
            "f:3:16: proxy.cpu_affinity: this process may not use CPU 7-9; it may use 0-3, 6");
}

TEST_F(Placing, BalanceByCpuNeedsACpuAWorker) {
  proxy.cpu_affinity.kind = Kind::automatic;
  proxy.accept_balance = AcceptBalance::cpu;
  proxy.workers = 3;
  EXPECT_EQ(problem({0, 1}),
            "f: proxy.accept_balance: \"cpu\" needs a CPU a worker; workers = 3 and this process may use 2: "
            "CPU 0-1");
  proxy.workers = 2;
  EXPECT_EQ(problem({0, 1}), "");
}

}  // namespace
}  // namespace limpet
