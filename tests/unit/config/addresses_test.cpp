// Where limpet listens, connects to and connects from.
#include "tests/unit/config/problems.h"

namespace limpet::config {
namespace {

TEST(Addresses, AddressesAreExplained) {
  const auto server = [](const std::string& text) {
    return problems("[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.ws]\nservers = [\"" + text + "\"]\n");
  };
  for (const char* good : {"10.0.0.1:1", "a=10.0.0.1:65535", "[::1]:3000", "name:80", "my_host.internal:80",
                           "u=unix:/run/x.sock"}) {
    EXPECT_THAT(server(good), ElementsAre()) << good;
  }
  EXPECT_THAT(server("10.0.0.1"), ElementsAre(HasSubstr("has no port")));
  EXPECT_THAT(server("10.0.0.1:0"), ElementsAre(HasSubstr("port 0 is no server's")));
  EXPECT_THAT(server("10.0.0.1:65536"), ElementsAre(HasSubstr("is not a port; ports are 1 to 65535")));
  EXPECT_THAT(server("::1:3000"), ElementsAre(HasSubstr("an IPv6 address stands in brackets")));
  EXPECT_THAT(server("10.0.0.256:1"), ElementsAre(HasSubstr("is not an address")));
  EXPECT_THAT(server("a=http://b:1"), ElementsAre(HasSubstr("has a scheme; write \"b:1\"")));
  EXPECT_THAT(server("unix:/x"), ElementsAre(HasSubstr("a Unix socket needs an id")));
  EXPECT_THAT(server("u=unix:x"), ElementsAre(HasSubstr("begins with \"/\"")));
  EXPECT_THAT(server("u=unix:/" + std::string(120, 'x')), ElementsAre(HasSubstr("at most 107 bytes")));
  EXPECT_THAT(server("a b=1.1.1.1:1"), ElementsAre(HasSubstr("is not a server id")));
  EXPECT_THAT(problems("[[listener]]\naddress = \"example.org:80\"\n[pool.ws]\nservers = [\"a:1\"]"),
              ElementsAre(HasSubstr("a listener takes an IP address")));
}

TEST(Addresses, OfAUrlTheAddressIsNamed) {
  const auto server = [](const std::string& text) {
    return problems("[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.ws]\nservers = [\"" + text + "\"]\n");
  };
  EXPECT_THAT(
      server("http://1.2.3.4:80"),
      ElementsAre("f:4:12: pool.ws.servers: \"http://1.2.3.4:80\" has a scheme; write \"1.2.3.4:80\""));
  EXPECT_THAT(server("ws1=ws://1.2.3.4:3000/path"), ElementsAre(HasSubstr("write \"1.2.3.4:3000\"")));
  EXPECT_THAT(server("http://example.org"), ElementsAre(HasSubstr("write \"example.org:80\"")));
  EXPECT_THAT(server("https://example.org"),
              ElementsAre(HasSubstr("has a scheme; write \"10.0.1.1:3000\",")));
  EXPECT_THAT(server("http://"), ElementsAre(HasSubstr("has a scheme; write \"10.0.1.1:3000\",")));
}

TEST(Addresses, OfAListenerAndOfAdminNoNamesAreNamed) {
  for (const std::string table : {"[[listener]]", "[admin]"}) {
    EXPECT_THAT(with(table + "\naddress = \"10.0.0.1\""),
                ElementsAre(HasSubstr("has no port; write \"0.0.0.0:80\", \"127.0.0.1:80\", \"[::1]:80\" or "
                                      "\"unix:/path\"")));
    EXPECT_THAT(with(table + "\naddress = \"http://localhost\""),
                ElementsAre(HasSubstr("has a scheme; write \"0.0.0.0:80\"")));
    EXPECT_THAT(with(table + "\naddress = \"http://127.0.0.1\""),
                ElementsAre(HasSubstr("has a scheme; write \"127.0.0.1:80\"")));
    EXPECT_THAT(with(table + "\naddress = \"127.0.0.1:x\""), ElementsAre(HasSubstr("ports are 0 to 65535")));
  }
}

TEST(Addresses, AUnixSocketIsAFileWithoutControlCharacters) {
  const auto listener = [](const std::string& text) {
    return problems("[[listener]]\naddress = \"" + text + "\"\n[pool.ws]\nservers = [\"a:1\"]\n");
  };
  EXPECT_THAT(
      listener("unix:/a\\u0000b"),
      ElementsAre("f:2:11: listener[0].address: \"unix:/a\\x00b\": a Unix socket's path has no control "
                  "characters; write \"unix:/path\""));
  EXPECT_THAT(listener("unix:/a\\u007f"), ElementsAre(HasSubstr("no control characters")));
  EXPECT_THAT(listener("unix:/a\\tb"), ElementsAre(HasSubstr("no control characters")));
  for (const std::string folder : {"/", "//", "/tmp/", "/tmp/.", "/tmp/..", "/tmp/a/.."}) {
    EXPECT_THAT(listener("unix:" + folder),
                ElementsAre(HasSubstr("names a directory; a Unix socket is a file")));
  }
  EXPECT_THAT(listener("unix:/tmp/..."), ElementsAre());
  EXPECT_THAT(listener("unix:/tmp/\u00e9"), ElementsAre());
  EXPECT_THAT(listener("unix:"), ElementsAre(HasSubstr("begins with \"/\"")));
}

TEST(Addresses, Ipv6AddressAsItsOwnIdDropsTheBrackets) {
  const auto file =
      load_text("[[listener]]\naddress = \"[::]:80\"\n[pool.ws]\nservers = [\"[::1]:3000\"]", "f");
  ASSERT_TRUE(file.config);
  EXPECT_EQ(file.config->pools[0].servers[0].id, "::1:3000");
  EXPECT_EQ(file.config->pools[0].servers[0].address.text(), "[::1]:3000");
}

TEST(Addresses, DuplicateServersAreErrorsAndDuplicateAddressesWarnings) {
  const std::string head = "[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.ws]\n";
  EXPECT_THAT(
      problems(head + "servers = [\"a=1.1.1.1:1\", \"a=1.1.1.2:1\"]"),
      ElementsAre("f:4:27: pool.ws.servers: there is a server \"a\" already, in line 4; give one of them "
                  "another id"));
  EXPECT_THAT(warnings(head + "servers = [\"a=1.1.1.1:1\", \"b=1.1.1.1:1\"]"),
              ElementsAre(HasSubstr("have the same address")));
  EXPECT_THAT(problems(head + "servers = [{ address = \"1.1.1.1:1\", weight = 0 }]"),
              ElementsAre(HasSubstr("f:4:11: pool.ws.servers: every weight is 0")));
  EXPECT_THAT(problems(head + "servers = [{ address = \"1.1.1.1:1\", backup = true }]"),
              ElementsAre(HasSubstr("every server is a backup")));
  EXPECT_THAT(problems(head + "servers = [{ id = \"a\" }]"),
              ElementsAre(HasSubstr("servers[0]: address is missing")));
  EXPECT_THAT(problems(head + "servers = [7]"), ElementsAre(HasSubstr("a server is \"id=address\"")));
  EXPECT_THAT(problems(head + "servers = []"), ElementsAre(HasSubstr("pool.ws: has no server")));
}

TEST(Addresses, ListenersMustDiffer) {
  EXPECT_THAT(
      with("[[listener]]\naddress = \"0.0.0.0:80\""),
      ElementsAre("f:7:11: listener[1].address: \"0.0.0.0:80\" is the address of the listener in line 1; "
                  "give one of them another"));
}

// Both orders; the second is the wrong one.
std::vector<std::string> clash(const std::string& a, const std::string& b) {
  const auto listening = [](const std::string& first, const std::string& second) {
    return problems("[pool.ws]\nservers = [\"a:1\"]\n[[listener]]\naddress = \"" + first +
                    "\"\n[[listener]]\naddress = \"" + second + "\"\n");
  };
  EXPECT_EQ(listening(a, b).size(), listening(b, a).size());
  return listening(a, b);
}

TEST(Addresses, ListenersClashWhateverTheirText) {
  EXPECT_THAT(
      clash("[::1]:80", "[0:0:0:0:0:0:0:1]:80"),
      ElementsAre(HasSubstr("f:6:11: listener[1].address: \"[0:0:0:0:0:0:0:1]:80\" is the address of the "
                            "listener in line 3; give one of them another")));
  EXPECT_THAT(clash("[::ffff:127.0.0.1]:80", "127.0.0.1:80"), ElementsAre(HasSubstr("is the address of")));
  EXPECT_THAT(clash("unix:/tmp/a", "unix:/tmp/./a"), ElementsAre(HasSubstr("is the address of")));
  EXPECT_THAT(clash("unix:/tmp/a", "unix://tmp/b/../a"), ElementsAre(HasSubstr("is the address of")));
  EXPECT_THAT(clash("unix:/tmp/a", "unix:/tmp/b"), ElementsAre());
}

TEST(Addresses, AWildcardCoversEveryAddressOfItsFamily) {
  EXPECT_THAT(
      clash("0.0.0.0:80", "127.0.0.1:80"),
      ElementsAre("f:6:11: listener[1].address: \"127.0.0.1:80\" overlaps with the listener in line 3, "
                  "\"0.0.0.0:80\": 0.0.0.0 is every IPv4 address of this machine; give one of them another "
                  "port"));
  EXPECT_THAT(clash("[::]:80", "[fd00::1]:80"), ElementsAre(HasSubstr("[::] is every IPv6 address")));
  EXPECT_THAT(clash("[::ffff:0.0.0.0]:80", "1.2.3.4:80"), ElementsAre(HasSubstr("is every IPv4 address")));
  EXPECT_THAT(clash("0.0.0.0:80", "[::]:80"), ElementsAre());
  EXPECT_THAT(clash("0.0.0.0:80", "[::1]:80"), ElementsAre());
  EXPECT_THAT(clash("0.0.0.0:80", "127.0.0.1:81"), ElementsAre());
  EXPECT_THAT(clash("127.0.0.2:80", "127.0.0.1:80"), ElementsAre());
}

TEST(Addresses, PortZeroNeverClashes) {
  EXPECT_THAT(clash("127.0.0.1:0", "127.0.0.1:0"), ElementsAre());
  EXPECT_THAT(clash("0.0.0.0:0", "127.0.0.1:0"), ElementsAre());
  EXPECT_THAT(with("[[listener]]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"127.0.0.1:0\""),
              ElementsAre());
}

TEST(Addresses, AListenerIsCountedAsItStandsInTheFile) {
  EXPECT_THAT(with("[[listener]]\naddress = \"x\"\n[[listener]]\naddress = \"0.0.0.0:80\""),
              ElementsAre(HasSubstr("f:7:11: listener[1].address: \"x\" has no port"),
                          HasSubstr("f:9:11: listener[2].address: \"0.0.0.0:80\" is the address of")));
}

TEST(Addresses, AdminIsLocal) {
  EXPECT_THAT(with("[admin]\naddress = \"0.0.0.0:9000\""),
              ElementsAre(HasSubstr("can be reached from elsewhere")));
  EXPECT_THAT(with("[admin]\naddress = \"127.0.0.1:9000\""), ElementsAre());
  EXPECT_THAT(with("[admin]\naddress = \"unix:/run/l.sock\""), ElementsAre());
}

TEST(Addresses, AdminTakesNoHostName) {
  EXPECT_THAT(
      with("[admin]\naddress = \"localhost:9000\""),
      ElementsAre("f:7:11: admin.address: \"localhost:9000\": a host name is not accepted here; write "
                  "\"127.0.0.1:9000\" or a Unix socket: \"unix:/path\""));
}

TEST(Addresses, AdminMustNotClashWithAListener) {
  EXPECT_THAT(
      with("[admin]\naddress = \"127.0.0.1:80\""),
      ElementsAre(HasSubstr("f:7:11: admin.address: \"127.0.0.1:80\" overlaps with the listener in line 1, "
                            "\"0.0.0.0:80\"")));
  EXPECT_THAT(
      with("[[listener]]\naddress = \"unix:/run/a\"\n[admin]\naddress = \"unix:/run/./a\""),
      ElementsAre(HasSubstr("admin.address: \"unix:/run/./a\" is the address of the listener in line 6")));
  EXPECT_THAT(with("[admin]\naddress = \"[::1]:80\""), ElementsAre());
}

TEST(Addresses, SourceAddressesNeedAServerOfTheirFamily) {
  EXPECT_THAT(
      problems("[[listener]]\naddress = \"0.0.0.0:80\"\n[pool.ws]\nservers = "
               "[\"1.1.1.1:1\"]\nsource_addresses = [\"::1\"]"),
      ElementsAre("f:5:21: pool.ws.source_addresses: \"::1\" is of no use: no server has an address of "
                  "its family; leave it out"));
}

TEST(Addresses, SourceAddressesAreOneOfAKindAndOfThisMachine) {
  EXPECT_THAT(
      in_pool("source_addresses = [\"10.0.0.5\", \"10.0.0.6\", \"10.0.0.5\"]"),
      ElementsAre("f:6:45: pool.ws.source_addresses: \"10.0.0.5\" stands there twice; leave one out"));
  EXPECT_THAT(in_pool("source_addresses = [\"fd00::5\", \"fd00:0::5\"]"), ElementsAre(HasSubstr("f:6:32: ")));
  EXPECT_THAT(
      in_pool("source_addresses = [\"0.0.0.0\", \"::\"]"),
      ElementsAre("f:6:21: pool.ws.source_addresses: \"0.0.0.0\" stands for any address, which the kernel "
                  "picks anyway; write \"10.0.0.5\" or \"fd00::5\"",
                  HasSubstr("f:6:32: pool.ws.source_addresses: \"::\" stands for any address")));
}

}  // namespace
}  // namespace limpet::config
