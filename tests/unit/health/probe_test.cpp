// One probe against real sockets on loopback.
#include "health/probe.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/unit/health/origin.h"

namespace limpet::health {
namespace {

struct Probing : testing::Test {
  net::Loop loop;
  Settings settings;
  Probe::Report report;

  Probing() { settings.timeout_ms = 300; }
  Probe::Report probe(const net::Address& to) {
    auto addresses = std::make_shared<const net::Target::Addresses>(net::Target::Addresses{to});
    Probe one(loop, settings, addresses, "ws1:3000", [this](const Probe::Report& r) {
      report = r;
      loop.stop();
    });
    loop.post([&] { one.start(); });
    loop.run();
    return report;
  }
  Probe::Report probe_answer(const std::string& text, Origin::Way way = Origin::Way::answer) {
    Origin origin(loop, text, way);
    return probe(origin.bound.address);
  }
};

TEST_F(Probing, ExpectedStatusPassesWhateverTheBody) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nok"}) {
    const auto got = probe_answer(answer);
    EXPECT_EQ(got.result, Result::passed) << answer << got.text;
  }
}

TEST_F(Probing, OtherStatusesAreWrongAndNamed) {
  EXPECT_EQ(probe_answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").text,
            "GET /health: 503");
  EXPECT_EQ(report.result, Result::wrong);
  EXPECT_EQ(probe_answer("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n").result,
            Result::wrong);
  settings.expect = {{200, 299}, {302, 302}};
  EXPECT_EQ(probe_answer("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n").result,
            Result::passed);
}

TEST_F(Probing, GarbageAndOversizedHeadsAreWrong) {
  EXPECT_EQ(probe_answer("SSH-2.0-OpenSSH_9.2\r\n").result, Result::wrong);
  EXPECT_EQ(probe_answer("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x')).result, Result::wrong);
}

TEST_F(Probing, SilenceEndsAtTheDeadline) {
  EXPECT_EQ(probe_answer("", Origin::Way::hang).result, Result::silent);
  EXPECT_EQ(probe_answer("HTTP/1.1 200").result, Result::silent);
}

TEST_F(Probing, CloseWithoutAnAnswerIsWrong) {
  EXPECT_EQ(probe_answer("", Origin::Way::close_at_once).result, Result::wrong);
}

TEST_F(Probing, RefusedConnectSaysSo) {
  const std::uint16_t port = net::bind_listener(loopback(0), 1).address.port();
  const auto got = probe(loopback(port));
  EXPECT_EQ(got.result, Result::connect_failed);
  EXPECT_NE(got.text.find("Connection refused"), std::string::npos);
}

TEST_F(Probing, NextAddressOfANameIsTried) {
  Origin origin(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const std::uint16_t closed = net::bind_listener(loopback(0), 1).address.port();
  auto addresses = std::make_shared<const net::Target::Addresses>(
      net::Target::Addresses{loopback(closed), origin.bound.address});
  Probe one(loop, settings, addresses, "ws1", [this](const Probe::Report& r) {
    report = r;
    loop.stop();
  });
  loop.post([&] { one.start(); });
  loop.run();
  EXPECT_EQ(report.result, Result::passed);
}

TEST_F(Probing, ExpectedBodyIsLookedForInEveryFraming) {
  settings.body = "all well";
  EXPECT_EQ(probe_answer("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n...all well.").result, Result::passed);
  EXPECT_EQ(
      probe_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nall \r\n4\r\nwell\r\n0\r\n\r\n")
          .result,
      Result::passed);
  EXPECT_EQ(probe_answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope").result, Result::wrong);
}

TEST_F(Probing, RequestIsWhatTheSettingsSay) {
  settings.path = "/up?x=1";
  settings.headers = {{"X-Probe", "1"}};
  Origin origin(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  probe(origin.bound.address);
  EXPECT_EQ(origin.seen,
            "GET /up?x=1 HTTP/1.1\r\nHost: ws1:3000\r\nUser-Agent: limpet/health\r\nAccept: "
            "*/*\r\nConnection: close\r\n"
            "X-Probe: 1\r\n\r\n");
}

TEST_F(Probing, TcpProbeNeedsAConnectAlone) {
  settings.type = Settings::Type::tcp;
  EXPECT_EQ(probe_answer("", Origin::Way::hang).result, Result::passed);
}

// Without a descriptor nothing is known of the server, and the probe's deadline must not fire later.
TEST_F(Probing, OurOwnShortageSaysNothingOfTheServer) {
  Origin origin(loop, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  settings.timeout_ms = 50;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  auto addresses =
      std::make_shared<const net::Target::Addresses>(net::Target::Addresses{origin.bound.address});
  int reports = 0;
  Probe one(loop, settings, addresses, "ws1", [&](const Probe::Report& r) {
    report = r;
    ++reports;
  });
  struct Later {
    net::Loop& loop;
    void on_expiry() { loop.stop(); }
  } later{loop};
  net::Timer end(loop, net::delegate<&Later::on_expiry>(&later));
  end.after(120);  // past the deadline
  one.start();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  loop.run();
  EXPECT_EQ(reports, 1);
  EXPECT_TRUE(report.said_nothing) << report.text;
}

}  // namespace
}  // namespace limpet::health
