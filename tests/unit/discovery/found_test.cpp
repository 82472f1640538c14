// The servers of a file and of its names, as one configuration.
#include "proxy/discovery/found.h"

#include <map>

#include "proxy/config/difference.h"
#include "proxy/config/load.h"
#include "tests/unit/discovery/answers.h"

namespace limpet::discovery {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Finding : testing::Test {
  std::map<std::string, Addresses> known;
  std::shared_ptr<const config::Config> written;
  Whole whole;

  void file(const std::string& servers) {
    written = config::load_text(
                  "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.ws]\nservers = [" + servers + "]\n", "f")
                  .config;
    ASSERT_TRUE(written);
    whole = with_found(
        written, [this](const std::string& host) { return std::span<const wire::IpAddress>(known[host]); });
  }
  const std::vector<config::Server>& servers() const { return whole.config->pools[0].servers; }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const config::Server& each : servers()) out.push_back(each.id);
    return out;
  }
};

TEST_F(Finding, AFileWithoutNamesIsItself) {
  file("\"a=10.0.0.1:1\"");
  EXPECT_EQ(whole.config, written);
}

TEST_F(Finding, AServerAnAddressAfterThoseThatAreWritten) {
  known["ws"] = ips({"10.0.0.1", "fd00::1"});
  file("{ address = \"dns:ws:3000\", weight = 5, max_connections = 7 }, \"a=10.0.0.9:1\"");
  EXPECT_THAT(ids(), ElementsAre("a", "10.0.0.1:3000", "fd00::1:3000"));
  EXPECT_EQ(servers()[2].address.text(), "[fd00::1]:3000");
  EXPECT_EQ(servers()[2].weight, 5u);
  EXPECT_EQ(servers()[2].max_connections, 7u);
  EXPECT_THAT(whole.left_out, IsEmpty());
}

TEST_F(Finding, AsIfItWereWrittenSo) {
  known["ws"] = ips({"10.0.0.1", "fd00::1"});
  file("\"dns:ws:3000\"");
  const auto found = servers();
  file("\"10.0.0.1:3000\", \"[fd00::1]:3000\"");
  EXPECT_EQ(found, servers());
}

TEST_F(Finding, ANameThatDoesNotResolveIsNoServer) {
  file("\"dns:ws:3000\"");
  EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(Finding, WhatIsWrittenComesFirst) {
  known["ws"] = ips({"10.0.0.1", "10.0.0.2"});
  file("\"10.0.0.1:3000=10.0.0.9:1\", \"dns:ws:3000\"");
  EXPECT_THAT(ids(), ElementsAre("10.0.0.1:3000", "10.0.0.2:3000"));
  EXPECT_EQ(servers()[0].address.text(), "10.0.0.9:1");
  EXPECT_THAT(whole.left_out,
              ElementsAre("pool ws: 10.0.0.1:3000 of dns:ws:3000 is the id of a server of the file, "
                          "so that it is no server of its own"));
}

TEST_F(Finding, AWrittenServersAddressIsNoSecondServer) {
  known["ws"] = ips({"10.0.0.1", "10.0.0.2"});
  file("\"w=10.0.0.1:3000\", \"dns:ws:3000\"");
  EXPECT_THAT(ids(), ElementsAre("w", "10.0.0.2:3000"));
  EXPECT_THAT(
      whole.left_out,
      ElementsAre("pool ws: 10.0.0.1:3000 of dns:ws:3000 is the address of w, a server of the file, so "
                  "that it is no server of its own"));
}

TEST_F(Finding, TwoNamesOfOneAddressAreOneServer) {
  known["a"] = ips({"10.0.0.1", "10.0.0.2"});
  known["b"] = ips({"10.0.0.2", "10.0.0.3"});
  file("\"dns:a:3000\", \"dns:b:3000\", \"dns:b:3001\"");
  EXPECT_THAT(ids(), ElementsAre("10.0.0.1:3000", "10.0.0.2:3000", "10.0.0.3:3000", "10.0.0.2:3001",
                                 "10.0.0.3:3001"));
  EXPECT_EQ(whole.left_out.size(), 1u);
}

TEST_F(Finding, WhatHasChangedIsTold) {
  known["ws"] = ips({"10.0.0.1", "10.0.0.2"});
  file("\"dns:ws:3000\"");
  const auto before = whole.config;
  known["ws"] = ips({"10.0.0.2", "10.0.0.3"});
  file("\"dns:ws:3000\"");
  EXPECT_EQ(config::describe_servers(before->pools[0], whole.config->pools[0]),
            "added 10.0.0.3:3000; removed 10.0.0.1:3000");
  EXPECT_FALSE(config::first_difference(*before, *whole.config));
}

TEST_F(Finding, OfManyChangesTheFirstAreTold) {
  file("\"dns:ws:3000\"");
  const auto before = whole.config;
  for (int i = 0; i < 256; ++i) known["ws"].push_back(*wire::IpAddress::parse("10.0.0." + std::to_string(i)));
  file("\"dns:ws:3000\"");
  const std::string text = config::describe_servers(before->pools[0], whole.config->pools[0]);
  EXPECT_LT(text.size(), 500u);
  EXPECT_THAT(text, testing::StartsWith("added 10.0.0.0:3000, 10.0.0.1:3000, "));
  EXPECT_THAT(text, testing::ContainsRegex(" and [0-9]+ more$"));
}

}  // namespace
}  // namespace limpet::discovery
