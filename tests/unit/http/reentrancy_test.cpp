// A handler may answer, destroy or upgrade, of its own or of another request, from within any call. What is
// at stake is memory: these tests mean most under AddressSanitizer.
#include "proxy/wire/websocket.h"
#include "tests/unit/http/world.h"

namespace limpet::http {
namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kPost = "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";
constexpr std::string_view kChunked =
    "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
constexpr std::string_view kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// What a handler does to an exchange to end it.
struct Ending {
  const char* name;
  void (*end)(Exchange&);
};
constexpr Ending kEndings[] = {
    {"answer", [](Exchange& e) { say_ok(e); }},
    {"answer_and_close", [](Exchange& e) { e.answer({.body = "x", .close = true}); }},
    {"destroy", [](Exchange& e) { e.destroy(); }},
    {"write_and_close", [](Exchange& e) { e.write_and_close("HTTP/1.1 400 Bad Request\r\n\r\n"); }},
    {"large", [](Exchange& e) { e.answer({.body = std::string(8 * 1024 * 1024, 'x')}); }},
};

class EachEnding : public ::testing::TestWithParam<Ending> {};
INSTANTIATE_TEST_SUITE_P(Http, EachEnding, ::testing::ValuesIn(kEndings),
                         [](const auto& each) { return std::string(each.param.name); });

bool sees_an_end(const Client& c) {
  return c.ended() || c.has("\r\n\r\n");
}

TEST_P(EachEnding, FromOnRequest) {
  World w;
  w.handler.act = GetParam().end;
  Client& c = w.connect();
  c.send(std::string(kGet) + std::string(kGet));
  EXPECT_TRUE(w.until([&] { return sees_an_end(c); }));
}

TEST_P(EachEnding, FromOnRequestBeforeTheBody) {
  World w;
  w.handler.act = GetParam().end;
  Client& c = w.connect();
  c.send(std::string(kPost) + std::string(kChunked));
  EXPECT_TRUE(w.until([&] { return sees_an_end(c); }));
}

TEST_P(EachEnding, FromOnRequestAfterReadBody) {
  World w;
  w.handler.act = [](Exchange& e) {
    e.read_body(100);
    GetParam().end(e);
  };
  Client& c = w.connect();
  c.send(kChunked);
  EXPECT_TRUE(w.until([&] { return sees_an_end(c); }));
  EXPECT_TRUE(w.handler.bodies.empty());
}

TEST_P(EachEnding, FromOnBody) {
  for (const std::string_view request : {kPost, kChunked, kGet}) {
    World w;
    w.handler.act = [](Exchange& e) { e.read_body(100); };
    w.handler.act_on_body = [&](std::string_view) { GetParam().end(*w.handler.last); };
    Client& c = w.connect();
    c.send(std::string(request) + std::string(request));
    EXPECT_TRUE(w.until([&] { return sees_an_end(c); }));
    EXPECT_EQ(w.handler.bodies[0], request == kGet ? "" : "body");
  }
}

TEST_P(EachEnding, FromOnBodyTooLarge) {
  for (const std::string_view request : {kPost, kChunked}) {
    World w;
    w.handler.act = [](Exchange& e) { e.read_body(3); };
    w.handler.act_on_too_large = [&] { GetParam().end(*w.handler.last); };
    Client& c = w.connect();
    c.send(request);
    EXPECT_TRUE(w.until([&] { return sees_an_end(c); }));
    EXPECT_EQ(w.handler.too_large, 1);
  }
}

TEST_P(EachEnding, FromOutside) {
  World w;
  Client& c = w.connect();
  c.send(std::string(kGet) + std::string(kGet));
  ASSERT_TRUE(w.until([&] { return w.handler.last != nullptr; }));
  GetParam().end(*std::exchange(w.handler.last, nullptr));
  EXPECT_TRUE(w.until([&] { return sees_an_end(c); }));
}

TEST_P(EachEnding, OfAnotherFromOnGone) {
  World w;
  Client& first = w.connect();
  Client& second = w.connect();
  std::vector<Exchange*> open;
  w.handler.act = [&](Exchange& e) { open.push_back(&e); };
  first.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(w.until([&] { return open.size() == 1; }));
  second.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(w.until([&] { return open.size() == 2; }));
  w.handler.act_on_gone = [&] { GetParam().end(*open[1]); };
  first.close();
  EXPECT_TRUE(w.until([&] { return sees_an_end(second); }));
  EXPECT_EQ(w.handler.gone, 1);
}

TEST_P(EachEnding, OfTheOneBeforeFromOnRequest) {
  World w;
  Client& first = w.connect();
  Client& second = w.connect();
  Exchange* open = nullptr;
  w.handler.act = [&](Exchange& e) {
    if (open == nullptr) {
      open = &e;
      return;
    }
    GetParam().end(*open);
    GetParam().end(e);
  };
  first.send(kGet);
  ASSERT_TRUE(w.until([&] { return open != nullptr; }));
  second.send(kGet);
  EXPECT_TRUE(w.until([&] { return sees_an_end(first) && sees_an_end(second); }));
}

TEST_P(EachEnding, WhileTheServerIsDestroyed) {
  World w;
  Client& first = w.connect();
  Client& second = w.connect();
  std::vector<Exchange*> open;
  w.handler.act = [&](Exchange& e) { open.push_back(&e); };
  for (Client* each : {&first, &second}) each->send(kGet);
  ASSERT_TRUE(w.until([&] { return open.size() == 2; }));
  w.handler.act_on_gone = [&] {
    if (w.handler.gone == 1) GetParam().end(*open[0]);  // the newest is told first
  };
  w.server.reset();
  EXPECT_EQ(w.handler.gone, 1);
}

struct Upgrading : ::testing::Test {
  World w;
  std::vector<Exchange::Upgraded> taken;
  void take(Exchange& e) {
    ASSERT_FALSE(wire::check_handshake(e.head()));
    taken.push_back(e.upgrade("X-One: 1\r\n"));
  }
};

TEST_F(Upgrading, GivesTheSocketAwayWithWhatCameEarly) {
  w.handler.act = [&](Exchange& e) { take(e); };
  Client& c = w.connect();
  c.send(std::string(kUpgrade) + "early");
  ASSERT_TRUE(w.until([&] { return taken.size() == 1; }));
  EXPECT_EQ(w.server->connections(), 0U);
  EXPECT_EQ(taken[0].early, "early");
  EXPECT_EQ(taken[0].unsent,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-One: 1\r\n\r\n");
  EXPECT_TRUE(taken[0].peer.port() != 0);
  ASSERT_EQ(taken[0].stream.write(std::string_view("hello")).status, net::Io::ok);
  EXPECT_TRUE(w.until([&] { return c.seen == "hello"; }));
  c.close();
  for (int i = 0; i < 3; ++i) w.turn();
  EXPECT_EQ(w.handler.gone, 0);
}

TEST_F(Upgrading, FromOutside) {
  Client& c = w.connect();
  c.send(kUpgrade);
  ASSERT_TRUE(w.until([&] { return w.handler.last != nullptr; }));
  c.send("frames");
  for (int i = 0; i < 3; ++i) w.turn();
  take(*w.handler.last);
  EXPECT_EQ(taken[0].early, "frames");
  EXPECT_EQ(w.server->connections(), 0U);
}

TEST_F(Upgrading, FromOnBody) {
  w.handler.act = [](Exchange& e) { e.read_body(0); };
  w.handler.act_on_body = [&](std::string_view) { take(*w.handler.last); };
  Client& c = w.connect();
  c.send(kUpgrade);
  ASSERT_TRUE(w.until([&] { return taken.size() == 1; }));
}

}  // namespace
}  // namespace limpet::http
