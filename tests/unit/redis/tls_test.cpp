// A real server over TLS, with certificates made here; and passwords.
#include <cstdlib>

#include "tests/unit/redis/world.h"

namespace limpet::redis {
namespace {

// A CA, a server's certificate for localhost and 127.0.0.1, a client's, and another CA.
struct Certificates {
  Folder folder;
  Certificates() {
    ca("ca");
    ca("other");
    signed_by_ca("server", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    signed_by_ca("elsewhere", "subjectAltName=DNS:elsewhere.example");
    signed_by_ca("client", "extendedKeyUsage=clientAuth");
  }
  void run(const std::string& command) const {
    const std::string line = "cd " + folder.path() + " && openssl " + command + " >/dev/null 2>&1";
    if (std::system(line.c_str()) != 0) throw std::runtime_error("openssl " + command);
  }
  void ca(const std::string& name) const {
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
        " -keyout " + name + ".key -out " + name + ".crt");
  }
  void signed_by_ca(const std::string& name, const std::string& extension) const {
    run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -addext '" +
        extension + "' -keyout " + name + ".key -out " + name + ".csr");
    run("x509 -req -in " + name +
        ".csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy -out " + name + ".crt");
  }
};

struct TlsServer : World {
  std::unique_ptr<Certificates> files;
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;

  void SetUp() override {
    World::SetUp();
    ASSERT_EQ(std::system("command -v openssl >/dev/null 2>&1"), 0)
        << "openssl is missing: tests/install test";
  }
  void begin_server(const std::string& certificate, const std::string& clients = "no",
                    const std::vector<std::string>& more = {}) {
    if (!files) files = std::make_unique<Certificates>();
    port = free_port();
    std::vector<std::string> words{"--tls-port",         std::to_string(port),
                                   "--tls-cert-file",    files->folder / (certificate + ".crt"),
                                   "--tls-key-file",     files->folder / (certificate + ".key"),
                                   "--tls-ca-cert-file", files->folder / "ca.crt",
                                   "--tls-auth-clients", clients};
    words.insert(words.end(), more.begin(), more.end());
    server = std::make_unique<Server>(words, false);
  }
  Settings settings(const std::string& host = "127.0.0.1") const {
    Settings settings = hasty(settings_of("rediss://" + host + ":" + std::to_string(port)));
    settings.connect_timeout_ms = 5'000;
    settings.tls.ca_file = files->folder / "ca.crt";
    return settings;
  }
};

TEST_F(TlsServer, IsReachedByAddressAndByName) {
  begin_server("server");
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    const auto redis = connect(settings(host));
    EXPECT_EQ(ask(*redis, {"PING"}), "PONG");
    Ear ear;
    const auto hears = redis->subscribe(Subscribed::channel, "c", ear);
    ASSERT_TRUE(until([&] { return ear.subscribed == 1; }));
    redis->publish("c", "x");
    EXPECT_TRUE(until([&] { return !ear.heard.empty(); }));
  }
}

TEST_F(TlsServer, LargeValuesGoBothWays) {
  begin_server("server");
  auto patient = settings();
  patient.answer_timeout_ms = 5'000;
  const auto redis = connect(patient);
  std::string large(9'000'000, 'x');
  for (std::size_t i = 0; i < large.size(); i += 7) large[i] = static_cast<char>(i);
  Answer set, get;
  redis->command({"SET", "large", large}, set.take());
  redis->command({"GET", "large"}, get.take());
  ASSERT_TRUE(until([&] { return get.done(); }));
  EXPECT_TRUE(get.text == large) << get.error;
}

TEST_F(TlsServer, WhoseCertificateIsOfAnotherCaIsRefused) {
  begin_server("server");
  auto wrong = settings();
  wrong.tls.ca_file = files->folder / "other.crt";
  const auto redis = begin(wrong);
  EXPECT_TRUE(until([&] { return told("the server's certificate: "); }));
  EXPECT_FALSE(redis->up());
}

TEST_F(TlsServer, WhoseNameIsAnotherIsRefused) {
  begin_server("elsewhere");
  const auto by_address = begin(settings());
  EXPECT_TRUE(until([&] { return told("IP address mismatch"); }));
  const auto by_name = begin(settings("localhost"));
  EXPECT_TRUE(until([&] { return told("ostname mismatch"); }));
  auto renamed = settings();
  renamed.tls.server_name = "elsewhere.example";
  EXPECT_EQ(ask(*connect(renamed), {"PING"}), "PONG");
}

TEST_F(TlsServer, AClientsCertificateIsShownWhereOneIsWanted) {
  begin_server("server", "yes");
  const auto without = begin(settings());
  EXPECT_TRUE(until([&] { return told("certificate required") || told("handshake failure"); }));
  auto with = settings();
  with.tls.cert_file = files->folder / "client.crt";
  with.tls.key_file = files->folder / "client.key";
  EXPECT_EQ(ask(*connect(with), {"PING"}), "PONG");
}

TEST_F(TlsServer, FilesThatCannotBeUsedAreNamedAndReadAgainOnceTheyCan) {
  begin_server("server");
  auto missing = settings();
  missing.tls.ca_file = files->folder / "later.crt";
  const auto redis = begin(missing);
  ASSERT_TRUE(until([&] { return told("later.crt: "); }));
  files->run("x509 -in ca.crt -out later.crt");
  EXPECT_TRUE(until([&] { return redis->up(); }));
  auto crossed = settings();
  crossed.tls.cert_file = files->folder / "client.crt";
  crossed.tls.key_file = files->folder / "server.key";
  const auto other = begin(crossed);
  EXPECT_TRUE(until([&] { return told("server.key: "); }));
}

TEST_F(TlsServer, PlainAndTlsDoNotMeet) {
  begin_server("server");
  auto plain = settings();
  plain.tls.on = false;
  plain.connect_timeout_ms = 400;
  const auto redis = begin(plain);
  EXPECT_TRUE(until([&] { return told("cannot connect to"); }));
  Server without_tls;
  auto tls = settings();
  tls.endpoints[0].port = without_tls.port;
  tls.connect_timeout_ms = 400;
  events.clear();
  const auto other = begin(tls);
  EXPECT_TRUE(until([&] { return told("cannot connect to 127.0.0.1:" + std::to_string(without_tls.port)); }));
}

TEST_F(TlsServer, AFrozenOneIsNoticed) {
  begin_server("server");
  auto short_timed = settings();
  short_timed.connect_timeout_ms = 400;
  const auto redis = connect(short_timed);
  server->freeze();
  ASSERT_TRUE(until([&] { return !redis->up(); }));
  ASSERT_TRUE(until([&] { return told("TLS took too long"); }));
  server->thaw();
  EXPECT_TRUE(until([&] { return redis->up(); }));
}

TEST_F(TlsServer, AClusterIsReachedOverTls) {
  begin_server(
      "server", "no",
      {"--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-port", std::to_string(free_port())});
  (*server)({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
  ASSERT_TRUE(until([&] { return (*server)({"CLUSTER", "INFO"}).starts_with("cluster_state:ok"); }));
  auto cluster = settings_of("rediss+cluster://127.0.0.1:" + std::to_string(port));
  cluster.tls.ca_file = files->folder / "ca.crt";
  const auto redis = connect(cluster);
  EXPECT_EQ(ask(*redis, {"SET", "a", "b"}, "a"), "OK");
  Ear ear;
  const auto hears = redis->subscribe(Subscribed::shard, "c", ear);
  ASSERT_TRUE(until([&] { return ear.subscribed == 1; }));
  redis->shard_publish("c", "x");
  EXPECT_TRUE(until([&] { return !ear.heard.empty(); }));
}

// --- passwords ---

struct Passwords : World {};

TEST_F(Passwords, APasswordAlone) {
  Server server({"--requirepass", "secret"});
  const std::string host = server.url().substr(8);
  EXPECT_EQ(ask(*connect(hasty(settings_of("redis://:secret@" + host))), {"PING"}), "PONG");
  const auto wrong = begin(hasty(settings_of("redis://:guess-of-mine@" + host)));
  EXPECT_TRUE(until([&] { return told("AUTH was refused: WRONGPASS"); }));
  const auto none = begin(hasty(settings_of("redis://" + host)));
  EXPECT_TRUE(until([&] { return told("PING was refused: NOAUTH"); }));
  EXPECT_FALSE(told("guess-of-mine"));
  EXPECT_FALSE(told("secret"));
}

TEST_F(Passwords, AUserOfAnAcl) {
  Server server;
  server({"ACL", "SETUSER", "node", "on", ">secret", "~*", "&*", "+@all"});
  const std::string host = server.url().substr(8);
  EXPECT_EQ(ask(*connect(hasty(settings_of("redis://node:secret@" + host))), {"ACL", "WHOAMI"}), "node");
  const auto wrong = begin(hasty(settings_of("redis://nobody:secret@" + host)));
  EXPECT_TRUE(until([&] { return told("AUTH was refused: WRONGPASS"); }));
}

TEST_F(Passwords, AUserWhoMayNotListenIsSaid) {
  Server server;
  server({"ACL", "SETUSER", "node", "on", ">secret", "~*", "resetchannels", "&mine*", "+@all"});
  const auto redis = connect(hasty(settings_of("redis://node:secret@" + server.url().substr(8))));
  Ear mine, others;
  const auto a = redis->subscribe(Subscribed::channel, "mine", mine);
  const auto b = redis->subscribe(Subscribed::channel, "others", others);
  EXPECT_TRUE(until([&] { return mine.subscribed == 1 && told("cannot subscribe to others: NOPERM"); }));
  EXPECT_EQ(others.subscribed, 0);
}

TEST_F(Passwords, AUserWhoMayNotPingIsServedAllTheSame) {
  Server server;
  server({"ACL", "SETUSER", "node", "on", ">secret", "~*", "&*", "+@all", "-ping"});
  const auto redis = connect(hasty(settings_of("redis://node:secret@" + server.url().substr(8))));
  EXPECT_EQ(ask(*redis, {"SET", "a", "b"}), "OK");
  const auto answers = redis->totals().bytes_in;
  EXPECT_TRUE(until([&] { return redis->totals().bytes_in > answers + 500; })) << "its PINGs are answered";
  EXPECT_EQ(redis->totals().reconnects, 0u);
}

TEST_F(Passwords, OneThatIsNotWantedIsSaid) {
  Server server;
  const auto redis = begin(hasty(settings_of("redis://:secret@" + server.url().substr(8))));
  EXPECT_TRUE(
      until([&] { return told("AUTH was refused: ERR AUTH <password> called without any password"); }));
}

}  // namespace
}  // namespace limpet::redis
