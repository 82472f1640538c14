#include "proxy/capacity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace limpet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Checking : testing::Test {
  config::Config config;
  Checking() {
    config.listeners.resize(1);
    config::Pool pool;
    pool.name = "ws";
    config::Server server;
    server.id = "ws1";
    server.address.host = "10.0.0.1";
    pool.servers.push_back(server);
    config.pools.push_back(pool);
  }
  config::Pool& pool() { return config.pools[0]; }
  Capacity check(std::uint64_t descriptors, std::uint32_t ports = 28'232) {
    return check_capacity(config, 2, {descriptors, ports});
  }
};

TEST_F(Checking, MostConnectionsAreHalfTheDescriptorsLessAReserve) {
  const Capacity capacity = check(10'000);
  EXPECT_LT(capacity.max_connections, 5'000u);
  EXPECT_GT(capacity.max_connections, 4'900u);
  EXPECT_THAT(capacity.warnings, IsEmpty());
}

TEST_F(Checking, TightLimitStillServesSomebody) {
  EXPECT_GE(check(128).max_connections, 32u);
  EXPECT_GE(check(16).max_connections, 1u);
}

TEST_F(Checking, NumberSetByHandThatCannotBeHeldIsAWarningWithTheCures) {
  config.proxy.max_connections = 6'000;
  const Capacity capacity = check(10'000);
  EXPECT_LT(capacity.max_connections, 5'000u) << "a tunnel's second descriptor must not be lacking";
  EXPECT_THAT(capacity.warnings,
              ElementsAre(testing::AllOf(HasSubstr("max_connections = 6000"), HasSubstr("LimitNOFILE"))));
}

TEST_F(Checking, PortsShortOfTheDefaultAreOneNote) {
  const Capacity capacity = check(1'000'000);
  EXPECT_THAT(capacity.warnings, IsEmpty());
  EXPECT_THAT(capacity.notes, testing::Contains(HasSubstr("28232 connections")));
}

TEST_F(Checking, PortsShortOfANumberSetByHandAreAWarningThatSourceAddressesCure) {
  pool().servers[0].max_connections = 50'000;
  pool().servers[0].max_connections_set = true;
  EXPECT_THAT(check(1'000'000).warnings, ElementsAre(testing::AllOf(HasSubstr("there are 28232 local ports"),
                                                                    HasSubstr("source_addresses"))));
  pool().source_addresses = {*wire::IpAddress::parse("10.0.0.8"), *wire::IpAddress::parse("10.0.0.9")};
  EXPECT_THAT(check(1'000'000).warnings, IsEmpty());
}

}  // namespace
}  // namespace limpet
