// Bodies of requests: chunks, bounds, 100-continue, those that nobody wants.
#include "proxy/wire/chunked.h"
#include "tests/unit/http/world.h"

namespace limpet::http {
namespace {

TEST(HttpBody, BadChunkEndsTheRequest) {
  World w;
  w.handler.act = [](Exchange& e) { e.read_body(100); };
  Client& c = w.connect();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbodyX");
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_TRUE(c.seen.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_EQ(w.handler.gone, 1);
}

TEST(HttpBody, ChunkedComesWholeWhateverItsPieces) {
  World w;
  w.handler.act = [](Exchange& e) { e.read_body(100'000); };
  w.handler.act_on_body = [&](std::string_view) { say_ok(*w.handler.last); };
  Client& c = w.connect();
  std::string all = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", expected;
  for (int i = 1; i < 200; ++i) {
    char size[20];
    all.append(size, wire::write_chunk_size(static_cast<std::uint64_t>(i), size));
    all.append(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26)) += "\r\n";
    expected.append(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
  }
  all += "0\r\nTrailer: t\r\n\r\n" + std::string(kGet);
  for (std::size_t at = 0; at < all.size(); at += 997) {
    c.send(std::string_view(all).substr(at, 997));
    w.turn();
  }
  ASSERT_TRUE(w.until([&] { return w.handler.targets.size() == 2; }));
  EXPECT_EQ(w.handler.bodies[0], expected);
}

TEST(HttpBody, ContinueIsSentOnceTheBodyIsWanted) {
  World w;
  Client& c = w.connect();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  ASSERT_TRUE(w.until([&] { return w.handler.last != nullptr; }));
  for (int i = 0; i < 3; ++i) w.turn();
  c.look();
  EXPECT_EQ(c.seen, "");
  w.handler.act_on_body = [&](std::string_view) { say_ok(*w.handler.last); };
  w.handler.last->read_body(4);
  ASSERT_TRUE(w.until([&] { return c.seen == "HTTP/1.1 100 Continue\r\n\r\n"; }));
  c.send("body");
  ASSERT_TRUE(w.until([&] { return c.has("200 OK"); }));
  EXPECT_EQ(c.count("100 Continue"), 1U);
  EXPECT_FALSE(c.has("Connection: close"));
}

TEST(HttpBody, TooLargeIsNotAskedForAndEndsTheConnection) {
  World w;
  w.handler.act = [](Exchange& e) { e.read_body(3); };
  w.handler.act_on_too_large = [&] { w.handler.last->answer({.status = 413, .chunked = true}); };
  Client& c = w.connect();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_TRUE(c.seen.starts_with("HTTP/1.1 413 Payload Too Large\r\n"));
  EXPECT_TRUE(c.seen.ends_with("Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")) << c.seen;
}

TEST(HttpBody, AnswerToAHugeBodyArrivesWhole) {
  World w;
  w.handler.act = [](Exchange& e) { e.read_body(1000); };
  w.handler.act_on_too_large = [&] { w.handler.last->answer({.status = 413, .body = "too much"}); };
  Client& c = w.connect();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40000000\r\n\r\n");
  const std::string piece(64 * 1024, 'x');
  for (int i = 0; i < 100; ++i) {
    ::send(c.fd(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    w.turn();
  }
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_TRUE(c.has("\r\n\r\ntoo much"));
  EXPECT_FALSE(c.was_reset());
}

TEST(HttpBody, OneThatNobodyWantsDoesNotEndTheConnectionIfItIsShort) {
  World w;
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n1234");
  ASSERT_TRUE(w.until([&] { return c.has("200 OK"); }));
  EXPECT_FALSE(c.has("Connection: close"));
  c.send("5678" + std::string(kGet));
  ASSERT_TRUE(w.until([&] { return c.count("200 OK") == 2; }));
  EXPECT_EQ(w.handler.targets.back(), "/a");
}

std::size_t answers_that_fit(World& w) {
  const net::Fd fd = narrow(w);
  const std::size_t before = w.handler.targets.size();
  std::size_t count = 0;
  for (int quiet = 0; quiet < 20; w.turn()) {
    say(fd, kGet);
    quiet = w.handler.targets.size() - before > count ? 0 : quiet + 1;
    count = w.handler.targets.size() - before;
  }
  return count - 1;
}

TEST(HttpBody, ContinueThatMeetsAFullBufferComesBeforeTheAnswer) {
  World w;
  w.handler.act = [](Exchange& e) { e.head().method == wire::Method::post ? e.read_body(4) : say_ok(e); };
  w.handler.act_on_body = [&](std::string_view) { say_ok(*w.handler.last); };
  const std::size_t fit = answers_that_fit(w);
  for (const bool waits_for_it : {false, true}) {
    const net::Fd fd = narrow(w);
    w.handler.targets.clear();
    for (std::size_t i = 0; i < fit; ++i) say(fd, kGet);
    ASSERT_TRUE(w.until([&] { return w.handler.targets.size() == fit; }));
    say(fd, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    ASSERT_TRUE(w.until([&] { return w.handler.targets.size() == fit + 1; }));
    w.handler.bodies.clear();
    if (!waits_for_it) {
      say(fd, "body");
      ASSERT_TRUE(w.until([&] { return w.handler.bodies.size() == 1; }));
    }
    std::string seen;
    const auto has = [&](std::string_view text) {
      seen += heard(fd);
      return seen.find(text) != std::string::npos;
    };
    ASSERT_TRUE(w.until([&] { return has("100 Continue"); }));
    if (waits_for_it) say(fd, "body");
    const std::size_t at = seen.find("HTTP/1.1 100 Continue\r\n\r\n");
    ASSERT_NE(at, std::string::npos);
    ASSERT_TRUE(w.until([&] { return has("200 OK") && seen.rfind("200 OK") > at; }));
    EXPECT_EQ(seen.find("200 OK", at), seen.rfind("200 OK")) << "one answer after it";
  }
}

TEST(HttpBody, OneThatNobodyWantsHasNotForEver) {
  World w({.idle_timeout_ms = 50});
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n");
  ASSERT_TRUE(w.until([&] {
    ::send(c.fd(), "x", 1, MSG_NOSIGNAL);
    return c.ended();
  }));
  EXPECT_TRUE(c.has("200 OK"));
}

}  // namespace
}  // namespace limpet::http
