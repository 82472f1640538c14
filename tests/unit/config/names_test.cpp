// Servers by name: "dns:NAME:PORT", and the DNS servers that are asked.
#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

std::string pool(const std::string& servers) {
  return "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.ws]\nservers = [" + servers + "]\n";
}
std::vector<std::string> says(const std::string& servers) {
  return problems(pool(servers));
}
std::string only(const std::string& servers) {
  const auto all = says(servers);
  return all.size() == 1 ? all[0] : std::to_string(all.size()) + " problems";
}

TEST(Names, AreKeptApartFromServers) {
  const auto config =
      load_text(pool("\"a=10.0.0.1:3000\", \"dns:WS.default.svc:3000\", \"dns:other.:80\""), "f").config;
  ASSERT_TRUE(config);
  const Pool& ws = config->pools[0];
  ASSERT_EQ(ws.servers.size(), 1u);
  ASSERT_EQ(ws.names.size(), 2u);
  EXPECT_EQ(ws.names[0].id, "dns:ws.default.svc:3000");
  EXPECT_EQ(ws.names[0].address.kind, Endpoint::Kind::name);
  EXPECT_EQ(ws.names[0].address.host, "ws.default.svc");
  EXPECT_EQ(ws.names[0].address.port, 3000);
  EXPECT_EQ(ws.names[1].address.host, "other.") << "no search domain is tried";
}

TEST(Names, MayBeAllThatAPoolHas) {
  EXPECT_THAT(says("\"dns:ws:3000\""), ElementsAre());
  EXPECT_THAT(warnings(pool("\"dns:ws:3000\"")), ElementsAre());
}

TEST(Names, TheOtherKeysHoldForEachOfTheirServers) {
  const auto config =
      load_text(
          pool("{ address = \"dns:ws:1\", weight = 3, max_connections = 7, backup = true }, \"10.0.0.1:1\""),
          "f")
          .config;
  ASSERT_TRUE(config);
  const Server& name = config->pools[0].names.at(0);
  EXPECT_EQ(name.weight, 3u);
  EXPECT_EQ(name.max_connections, 7u);
  EXPECT_TRUE(name.max_connections_set);
  EXPECT_TRUE(name.backup);
}

TEST(Names, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_EQ(only("\"dns:ws\""),
            "f:4:12: pool.ws.servers: \"dns:ws\": the port is missing; write \"dns:ws:3000\"");
  EXPECT_EQ(only("\"dns:\""),
            "f:4:12: pool.ws.servers: \"dns:\": the name is missing; write \"dns:ws.default.svc:3000\"");
  EXPECT_THAT(only("\"dns::3000\""), HasSubstr("the name is missing"));
  EXPECT_THAT(only("\"dns:3000\""), HasSubstr("the name is missing"));
  EXPECT_THAT(only("\"dns:ws:\""), HasSubstr("\"\" is not a port; ports are 1 to 65535"));
  EXPECT_THAT(only("\"dns:ws:0\""), HasSubstr("\"0\" is not a port"));
  EXPECT_THAT(only("\"dns:ws:65536\""), HasSubstr("\"65536\" is not a port"));
  EXPECT_THAT(only("\"dns:w s:1\""), HasSubstr("\"w s\" is not a host name"));
  EXPECT_THAT(only("\"dns:a..b:1\""), HasSubstr("\"a..b\" is not a host name"));
  EXPECT_THAT(only("\"dns:a.-b:1\""), HasSubstr("is not a host name"));
  EXPECT_THAT(only("\"dns:.:1\""), HasSubstr("is not a host name"));
  EXPECT_EQ(only("{ address = \"dns:ws\" }"),
            "f:4:24: pool.ws.servers[0].address: \"dns:ws\": the port is missing; write \"dns:ws:3000\"");
}

TEST(Names, LabelsAndNamesHaveTheirLongest) {
  const std::string longest(63, 'a');
  EXPECT_THAT(says("\"dns:" + longest + ":1\""), ElementsAre());
  EXPECT_THAT(only("\"dns:ws." + longest + "a:1\""),
              HasSubstr("has 64 bytes; between two dots are at most 63; write \"dns:ws.default.svc:3000\""));
  const std::string name = longest + "." + longest + "." + longest + "." + longest;
  EXPECT_THAT(only("\"dns:" + name + ":1\""), HasSubstr("a name has at most 253 bytes, this one 255"));
}

TEST(Names, AddressesNeedNobodyToAsk) {
  EXPECT_THAT(only("\"dns:10.0.0.1:3000\""),
              HasSubstr("that is an address, for which nobody needs to ask; write \"10.0.0.1:3000\""));
  EXPECT_THAT(only("\"dns:[::1]:3000\""), HasSubstr("write \"[::1]:3000\""));
  EXPECT_THAT(only("\"dns:10.0.0.1\""), HasSubstr("that is an address, and no name"));
  EXPECT_THAT(only("\"dns:fd00::1\""), HasSubstr("that is an address, and no name"));
}

TEST(Names, HaveNoIdOfTheirOwn) {
  EXPECT_EQ(only("\"ws1=dns:ws:3000\""),
            "f:4:12: pool.ws.servers: \"dns:ws:3000\" is a server for each of its addresses, whose ids are "
            "ADDRESS:PORT; leave the id out");
  EXPECT_THAT(only("{ id = \"ws1\", address = \"dns:ws:3000\" }"),
              HasSubstr("f:4:19: pool.ws.servers[0].id:"));
}

TEST(Names, ClashWithAServerThatIsWritten) {
  EXPECT_EQ(
      only("\"ws:3000\",\n\"dns:ws:3000\""),
      "f:5:1: pool.ws.servers: \"dns:ws:3000\": the name stands there as one server, in line 4; leave one of "
      "them out");
  EXPECT_EQ(
      only("\"dns:ws:3000=10.0.0.1:1\",\n\"dns:ws:3000\""),
      "f:5:1: pool.ws.servers: \"dns:ws:3000\" is the id of a server, too, in line 4; leave one of them out");
  EXPECT_THAT(only("\"dns:ws:3000\",\n\"dns:WS:3000\""),
              HasSubstr("f:5:1: pool.ws.servers: \"dns:ws:3000\" stands "
                        "there already, in line 4"));
  EXPECT_THAT(says("\"dns:ws:3000\", \"dns:ws:3001\", \"ws:3002\""), ElementsAre());
}

TEST(Names, CountWhereAllServersAreAlike) {
  EXPECT_THAT(only("{ address = \"dns:ws:1\", weight = 0 }"), HasSubstr("every weight is 0"));
  EXPECT_THAT(only("{ address = \"dns:ws:1\", backup = true }"), HasSubstr("every server is a backup"));
  EXPECT_THAT(says("{ address = \"dns:ws:1\", backup = true }, \"10.0.0.1:1\""), ElementsAre());
  EXPECT_THAT(says("\"dns:ws:1\"]\nsource_addresses = [\"10.0.0.1\", \"fd00::1\""), ElementsAre());
}

TEST(Resolvers, AreAddressesWithOrWithoutAPort) {
  const auto config =
      loaded("[proxy]\nresolvers = [\"10.0.0.2\", \"127.0.0.1:5353\", \"[fd00::2]:54\", \"fd00::2\"]");
  ASSERT_TRUE(config);
  std::vector<std::string> texts;
  for (const Endpoint& each : config->proxy.resolvers) texts.push_back(each.text());
  EXPECT_THAT(texts, ElementsAre("10.0.0.2:53", "127.0.0.1:5353", "[fd00::2]:54", "[fd00::2]:53"));
}

TEST(Resolvers, ThatAreNoneAreRefused) {
  const auto refused = [](const std::string& list) { return with("[proxy]\nresolvers = [" + list + "]"); };
  for (const char* each : {"dns.example.org", "dns:53", "unix:/run/dns", "10.0.0.2:0", "10.0.0.2:x", ""}) {
    EXPECT_THAT(refused("\"" + std::string(each) + "\""),
                ElementsAre("f:7:14: proxy.resolvers: \"" + std::string(each) +
                            "\" is not the address of a DNS server; write \"10.0.0.2\", \"10.0.0.2:5353\" or "
                            "\"[fd00::2]:53\""));
  }
  EXPECT_THAT(refused("\"10.0.0.2\", \"10.0.0.2:53\""), ElementsAre(HasSubstr("stands there twice")));
  std::string nine;
  for (int i = 1; i <= 9; ++i) nine += "\"10.0.0." + std::to_string(i) + "\", ";
  EXPECT_THAT(refused(nine), ElementsAre(HasSubstr("\"10.0.0.9\" is one too many; at most 8 are asked")));
}

}  // namespace
}  // namespace limpet::config
