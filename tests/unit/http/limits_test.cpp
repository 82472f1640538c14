// Deadlines, bounds, refusals, slow readers, shutdown.
#include "proxy/wire/chunked.h"
#include "tests/unit/http/world.h"

namespace limpet::http {
namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

struct Refusal {
  const char* name;
  std::string request;
  std::string_view status;
};

std::vector<Refusal> refusals() {
  return {
      {"bare_line_feed", "GET / HTTP/1.1\nHost: h\r\n\r\n", "400 Bad Request"},
      {"no_host", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request"},
      {"two_lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
       "400 Bad Request"},
      {"length_and_coding",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
       "400 Bad Request"},
      {"coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       "501 Not Implemented"},
      {"connect", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "405 Method Not Allowed"},
      {"http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported"},
      {"expectation", "POST / HTTP/1.1\r\nHost: h\r\nExpect: cake\r\nContent-Length: 1\r\n\r\n",
       "417 Expectation Failed"},
      {"long_target", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", "414 URI Too Long"},
      {"large_head", "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(17000, 'a') + "\r\n\r\n",
       "431 Request Header Fields Too Large"},
  };
}

class Refused : public ::testing::TestWithParam<Refusal> {};
INSTANTIATE_TEST_SUITE_P(Http, Refused, ::testing::ValuesIn(refusals()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(Refused, WithItsStatusAndTheConnectionEnds) {
  World w;
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send(GetParam().request + std::string(kGet));
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_TRUE(c.seen.starts_with("HTTP/1.1 " + std::string(GetParam().status) + "\r\n")) << c.seen;
  EXPECT_TRUE(c.has("\r\nConnection: close\r\n"));
  EXPECT_EQ(c.count("\r\nContent-Length: "), 1U);  // of one answer
  EXPECT_FALSE(c.was_reset());
  EXPECT_TRUE(w.handler.targets.empty());
  EXPECT_EQ(w.server->totals().faults, 1U);
}

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

// The client is still sending when the answer comes: the rest is read so that no reset destroys it.
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

// A connection whose send buffer holds little, and the client's end of it.
net::Fd narrow(World& w) {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  const int least = 1;
  ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
  w.server->adopt(net::Fd(fds[0]), net::Address());
  return net::Fd(fds[1]);
}

void say(const net::Fd& fd, std::string_view bytes) {
  ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

std::string heard(const net::Fd& fd) {
  char part[65536];
  std::string all;
  for (ssize_t got; (got = ::recv(fd.get(), part, sizeof(part), 0)) > 0;)
    all.append(part, static_cast<std::size_t>(got));
  return all;
}

// How many answers go into that buffer.
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

TEST(HttpGoing, HalfClosedClientWaitingForAnAnswerIsGone) {
  World w;
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return w.handler.last != nullptr; }));
  c.shut();
  ASSERT_TRUE(w.until([&] { return w.handler.gone == 1; }));
}

TEST(HttpGoing, RequestsBeforeAnEndAreAnswered) {
  World w;
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send(std::string(kGet) + std::string(kGet) + std::string(kGet));
  c.shut();
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_EQ(c.count("200 OK"), 3U);
}

TEST(HttpGoing, InTheMiddleOfABodyIsTold) {
  World w;
  w.handler.act = [](Exchange& e) { e.read_body(100); };
  Client& c = w.connect();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n1234");
  ASSERT_TRUE(w.until([&] { return w.handler.last != nullptr; }));
  c.close();
  ASSERT_TRUE(w.until([&] { return w.handler.gone == 1; }));
}

TEST(HttpGoing, IsNotedBehindPipelinedRequests) {
  World w;
  Client& c = w.connect();
  c.send(std::string(kGet) + std::string(kGet));
  ASSERT_TRUE(w.until([&] { return w.handler.last != nullptr; }));
  c.close();
  ASSERT_TRUE(w.until([&] { return w.handler.gone == 1; }));
  EXPECT_EQ(w.handler.targets.size(), 1U);
}

TEST(HttpGoing, WhoIsNoLongerWatchedIsNotTold) {
  World w;
  w.handler.act = [](Exchange& e) { e.watch(nullptr); };
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return w.handler.last != nullptr; }));
  c.close();
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 0; }));
  EXPECT_EQ(w.handler.gone, 0);
}

TEST(HttpDeadline, HeadThatDoesNotEndGets408) {
  World w({.head_timeout_ms = 20});
  Client& c = w.connect();
  c.send("GET / HT");
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_TRUE(c.seen.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST(HttpDeadline, SilentConnectionIsClosed) {
  World w({.head_timeout_ms = 20});
  Client& c = w.connect();
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_EQ(c.seen, "");
}

TEST(HttpDeadline, IdleConnectionIsClosed) {
  World w({.idle_timeout_ms = 20});
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_TRUE(c.seen.ends_with("ok"));
}

TEST(HttpDeadline, StalledBodyGets408) {
  World w({.idle_timeout_ms = 20});
  w.handler.act = [](Exchange& e) { e.read_body(100); };
  Client& c = w.connect();
  c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n1234");
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_TRUE(c.seen.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_EQ(w.handler.gone, 1);
}

TEST(HttpDeadline, AnswerMayTakeLongerThanAnyOfThem) {
  World w({.head_timeout_ms = 10, .idle_timeout_ms = 10});
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return w.handler.last != nullptr; }));
  const std::uint64_t later = net::now_ms() + 60;
  ASSERT_TRUE(w.until([&] { return net::now_ms() > later; }));
  say_ok(*w.handler.last);
  ASSERT_TRUE(w.until([&] { return c.has("200 OK"); }));
}

TEST(HttpDeadline, WhoKeepsSendingAfterTheLastAnswerIsCutOff) {
  World w({.linger_ms = 20});
  w.handler.act = [](Exchange& e) { e.answer({.body = "bye", .close = true}); };
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return c.ended(); }));  // its own end stays open
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 0; }));
}

TEST(HttpCapacity, OneTooManyGets503) {
  World w({.max_connections = 1});
  Client& first = w.connect();
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 1; }));
  Client& second = w.connect();
  ASSERT_TRUE(w.until([&] { return second.ended(); }));
  EXPECT_TRUE(second.seen.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_EQ(w.server->totals().refused, 1U);
  first.close();
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 0; }));
}

TEST(HttpCapacity, ThoseThatWereUpgradedCountForTheDescriptors) {
  World w({.max_with_upgraded = 3});
  std::size_t upgraded = 2;
  w.server->count_also([&] { return upgraded; });
  w.connect();
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 1; }));
  Client& second = w.connect();
  ASSERT_TRUE(w.until([&] { return second.ended(); }));
  EXPECT_TRUE(second.has("503 Service Unavailable"));
  upgraded = 1;
  w.connect();
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 2; }));
}

TEST(HttpDrain, IdleConnectionsEndAndAnswersAreTheLast) {
  World w;
  Client& idle = w.connect();
  w.handler.act = say_ok;
  idle.send(kGet);
  ASSERT_TRUE(w.until([&] { return idle.has("200 OK"); }));
  w.handler.act = nullptr;
  Client& busy = w.connect();
  busy.send(kGet);
  ASSERT_TRUE(w.until([&] { return w.handler.targets.size() == 2; }));
  w.server->close_idle();
  ASSERT_TRUE(w.until([&] { return idle.ended(); }));
  say_ok(*w.handler.last);
  ASSERT_TRUE(w.until([&] { return busy.ended(); }));
  EXPECT_TRUE(busy.has("Connection: close\r\n"));
}

TEST(HttpDrain, RequestThatIsInTheSocketIsAnswered) {
  World w;
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return c.has("200 OK"); }));
  c.send(kGet);
  w.server->close_idle();
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_EQ(c.count("200 OK"), 2U);
}

TEST(HttpDrain, NewConnectionsAreServedOnce) {
  World w;
  w.handler.act = say_ok;
  w.server->close_idle();
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return c.ended(); }));
  EXPECT_TRUE(c.has("Connection: close\r\n"));
}

TEST(HttpDrain, NothingIsAcceptedAfterStopAccepting) {
  World w;
  w.server->stop_accepting();
  net::Fd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_NE(::connect(late.get(), w.address.raw(), w.address.length()), 0);
}

}  // namespace
}  // namespace limpet::http
