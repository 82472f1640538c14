// Answers: their framing, slow readers, what follows the last.
#include "tests/unit/http/world.h"

namespace limpet::http {
namespace {

TEST(HttpAnswer, HeadHasTheLengthAndNoBody) {
  World w;
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(kGet));
  ASSERT_TRUE(w.until([&] { return c.count("200 OK") == 2; }));
  EXPECT_EQ(c.count("Content-Length: 2\r\n\r\n"), 2U);
  EXPECT_EQ(c.count("\r\n\r\nHTTP/1.1 200"), 1U);
}

TEST(HttpAnswer, NoContentHasNoLength) {
  World w;
  w.handler.act = [](Exchange& e) { e.answer({.status = 204}); };
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return c.has("\r\n\r\n"); }));
  EXPECT_FALSE(c.has("Content-Length"));
}

TEST(HttpAnswer, ChunkedToHttp10IsALength) {
  World w;
  w.handler.act = [](Exchange& e) { e.answer({.body = "ok", .chunked = true}); };
  Client& c = w.connect();
  c.send("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_TRUE(c.seen.ends_with("Connection: close\r\nContent-Length: 2\r\n\r\nok")) << c.seen;
}

TEST(HttpAnswer, Http10MayKeepItsConnection) {
  World w;
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(w.until([&] { return c.has("Connection: keep-alive\r\n"); }));
  EXPECT_FALSE(c.ended());
}

TEST(HttpAnswer, WithoutAHandlerIsNotFound) {
  World w;
  w.server = std::make_unique<Server>(w.loop, Limits{});
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
  w.server->adopt(net::Fd(pair[0]), *net::Address::unix_socket("/x"));
  net::Fd far(pair[1]);
  ASSERT_EQ(::write(far.get(), kGet.data(), kGet.size()), static_cast<ssize_t>(kGet.size()));
  char into[512];
  ssize_t got = -1;
  ASSERT_TRUE(w.until([&] { return (got = ::read(far.get(), into, sizeof(into))) > 0; }));
  EXPECT_TRUE(
      std::string_view(into, static_cast<std::size_t>(got)).starts_with("HTTP/1.1 404 Not Found\r\n"));
}

TEST(HttpAnswer, TheLongestPrefixHasIt) {
  World w;
  Recorder longer;
  w.handler.act = longer.act = say_ok;
  w.server->route("/a/", longer);
  Client& c = w.connect();
  c.send("GET /a/b?c HTTP/1.1\r\nHost: h\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(w.until([&] { return c.count("200 OK") == 2; }));
  EXPECT_EQ(longer.targets, std::vector<std::string>{"/a/b?c"});
  EXPECT_EQ(w.handler.targets, std::vector<std::string>{"/a"});
}

TEST(HttpAnswer, SlowReaderHoldsTheNextRequestBack) {
  World w;
  const std::string large(16 * 1024 * 1024, 'x');
  w.handler.act = [&](Exchange& e) { e.answer({.body = large}); };
  Client& c = w.connect();
  w.clients.clear();  // reads nothing
  c.send(std::string(kGet) + std::string(kGet));
  ASSERT_TRUE(w.until([&] { return w.handler.targets.size() == 1; }));
  for (int i = 0; i < 20; ++i) w.turn();
  EXPECT_EQ(w.handler.targets.size(), 1U);
  w.clients.push_back(&c);
  ASSERT_TRUE(w.until([&] { return c.seen.size() > 2 * large.size(); }));
  EXPECT_EQ(w.handler.targets.size(), 2U);
}

TEST(HttpAnswer, ReaderThatStopsIsReset) {
  World w({.idle_timeout_ms = 30});
  w.handler.act = [&](Exchange& e) { e.answer({.body = std::string(16 * 1024 * 1024, 'x')}); };
  Client& c = w.connect();
  w.clients.clear();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return w.handler.targets.size() == 1 && w.server->connections() == 0; }));
  w.clients.push_back(&c);
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_LT(c.seen.size(), 16U * 1024 * 1024);
}

TEST(HttpAnswer, WhoAskedForTheEndIsNotWaitedFor) {
  World w;
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody");
  ASSERT_TRUE(w.until([&] { return c.ended(); }));  // its own end stays open
  EXPECT_TRUE(c.seen.ends_with("ok"));
  EXPECT_FALSE(c.was_reset());
  EXPECT_EQ(w.server->connections(), 0U);
}

TEST(HttpAnswer, ToTheLastOfSeveralIsNotDestroyedByWhatFollows) {
  World w;
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + std::string(kGet));
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_EQ(c.count("200 OK"), 1U);
  EXPECT_FALSE(c.was_reset());
}

TEST(HttpAnswer, ReaderWhoTakesLittleNowAndThenIsCutOff) {
  World w({.idle_timeout_ms = 1'000});
  w.handler.act = [&](Exchange& e) { e.answer({.body = std::string(1024 * 1024, 'x')}); };
  const net::Fd fd = narrow(w);
  say(fd, kGet);
  std::uint64_t looked_ms = net::now_ms();
  ASSERT_TRUE(w.until([&] {
    if (net::now_ms() - looked_ms >= 400) {
      heard(fd);  // some KiB
      looked_ms = net::now_ms();
    }
    return w.handler.targets.size() == 1 && w.server->connections() == 0;
  }));
}

TEST(HttpAnswer, WhatSlowReadersLeaveIsBoundedForAll) {
  constexpr std::size_t kMost = 18 * 1024 * 1024;
  World w({.max_unsent = kMost});
  const std::string large(16 * 1024 * 1024, 'x');
  w.handler.act = [&](Exchange& e) { e.answer({.body = large}); };
  for (std::size_t i = 1; i <= 4; ++i) {
    w.connect().send(kGet);
    w.clients.clear();  // reads nothing
    ASSERT_TRUE(w.until([&] { return w.handler.targets.size() == i; }));
  }
  EXPECT_LT(w.server->connections(), 4U);
  EXPECT_GE(w.server->connections(), 1U);
  // Once they have gone there is room.
  w.made.clear();
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 0; }));
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return c.seen.size() > large.size(); }));
}

}  // namespace
}  // namespace limpet::http
