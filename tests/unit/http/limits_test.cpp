// Deadlines, bounds, refusals, clients that go, shutdown.
#include "tests/unit/http/world.h"

namespace limpet::http {
namespace {

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

// The client is still sending when the answer comes: the rest is read so that no reset destroys it.
// How many answers go into that buffer.
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

TEST(HttpCapacity, WhoWasSilentLongestMakesRoom) {
  World w({.max_connections = 3, .yields_after_ms = 30});
  w.handler.act = say_ok;
  Client& answered = w.connect();
  answered.send(kGet);
  ASSERT_TRUE(w.until([&] { return answered.has("ok"); }));
  Client& silent = w.connect();
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 2; }));
  Client& slow = w.connect();
  slow.send("GET / HT");
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 3; }));
  for (Client* gone : {&silent, &slow, &answered}) {
    const std::uint64_t later = net::now_ms() + 50;
    ASSERT_TRUE(w.until([&] { return net::now_ms() > later; }));
    Client& late = w.connect();
    late.send(kGet);
    ASSERT_TRUE(w.until([&] { return late.has("ok"); }));
    ASSERT_TRUE(w.until([&] { return gone->ended(); }));
    for (Client* each : {&silent, &slow, &answered}) {
      if (each == gone) break;
      EXPECT_TRUE(each->ended());
    }
  }
  EXPECT_EQ(w.server->totals().yielded, 3U);
  EXPECT_EQ(w.server->totals().refused, 0U);
}

TEST(HttpCapacity, WhoHasARequestUnderWayMakesNoRoom) {
  World w({.max_connections = 1, .yields_after_ms = 0});
  Client& first = w.connect();
  first.send(kGet);
  ASSERT_TRUE(w.until([&] { return w.handler.last != nullptr; }));
  Client& second = w.connect();
  ASSERT_TRUE(w.until([&] { return second.ended(); }));
  EXPECT_TRUE(second.has("503 Service Unavailable"));
  say_ok(*w.handler.last);
  ASSERT_TRUE(w.until([&] { return first.has("ok"); }));
}

// Its head is there, and we have not had the time to read it.
TEST(HttpCapacity, WhoseRequestWaitsToBeReadMakesNoRoom) {
  World w({.max_connections = 1, .yields_after_ms = 0});
  w.handler.act = say_ok;
  Client& first = w.connect();
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 1; }));
  Client& second = w.connect();
  first.send(kGet);
  ASSERT_TRUE(
      w.until([&] { return first.has("ok") && (second.ended() || w.server->totals().yielded == 1); }));
}

TEST(HttpBudget, WhoseBodyIsLargestIsCutOff) {
  World w;
  const std::size_t before = budget::total;
  budget::Budget budget(w.loop, before + 400'000);
  budget.watch(w.server->spender());
  w.handler.act = [](Exchange& e) { e.read_body(1'000'000); };
  const auto post = [&](std::size_t size) -> Client& {
    Client& c = w.connect();
    c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n" + std::string(size, 'x'));
    return c;
  };
  Client& small = post(60'000);
  Client& large = post(270'000);
  ASSERT_TRUE(w.until([&] { return budget::total - before > 330'000; }));
  EXPECT_FALSE(small.ended() || large.ended());
  Client& last = post(100'000);
  const std::function<void()> go_on = [&] {  // a little in every turn
    if (::send(large.fd(), "x", 1, MSG_NOSIGNAL) == 1) w.loop.post(go_on);
  };
  go_on();
  ASSERT_TRUE(w.until([&] { return large.ended(); }));
  EXPECT_TRUE(large.was_reset());
  EXPECT_EQ(large.seen, "");
  EXPECT_EQ(w.handler.gone, 1);
  EXPECT_EQ(budget.evicted(), 1U);
  w.turn();
  EXPECT_FALSE(small.ended() || last.ended());
  small.close();
  last.close();
  ASSERT_TRUE(w.until([&] { return w.server->connections() == 0; }));
  EXPECT_EQ(budget::total, before);
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
