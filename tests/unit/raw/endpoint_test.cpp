#include "backend/raw/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <deque>

#include "proxy/net/connect.h"
#include "proxy/wire/ws_frame.h"

namespace limpet::raw {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Client {
  net::Fd fd;
  std::string seen;  // and not yet asked for
  bool ended = false;
};

struct World : testing::Test {
  void serve(const Options& options) {
    endpoint = std::make_unique<Endpoint>(loop, options);
    server = std::make_unique<http::Server>(loop, http::Limits{});
    server->route("/ws", *endpoint);
  }
  Client& connect() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    server->adopt(net::Fd(fds[0]), net::Address());
    return clients.emplace_back(Client{net::Fd(fds[1]), {}, false});
  }
  void look(Client& client) {
    char part[65536];
    ssize_t got;
    while ((got = ::recv(client.fd.get(), part, sizeof(part), 0)) > 0)
      client.seen.append(part, static_cast<std::size_t>(got));
    if (got == 0 || errno != EAGAIN) client.ended = true;
  }
  void turn() {
    net::Timer soon(loop, net::delegate<&net::Loop::stop>(&loop));
    soon.after(1);
    loop.run();
  }
  // Until it holds, or for as long as no honest machine needs.
  void until(const std::function<bool()>& holds) {
    const std::uint64_t end = net::now_ms() + 10'000;
    for (;;) {
      for (Client& each : clients) look(each);
      if (holds()) return;
      ASSERT_LT(net::now_ms(), end) << "waited in vain";
      turn();
    }
  }
  void say(Client& client, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(client.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0) turn();
    }
  }
  std::string request(Client& client, std::string_view fields = {},
                      std::string_view line = "GET /ws HTTP/1.1") {
    say(client, std::string(line) +
                    "\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                    std::string(fields) + "\r\n");
    return head_of(client);
  }
  std::string head_of(Client& client) {
    until([&] { return client.seen.find("\r\n\r\n") != client.seen.npos; });
    const std::size_t end = client.seen.find("\r\n\r\n") + 4;
    const std::string head = client.seen.substr(0, end);
    client.seen.erase(0, end);
    return head;
  }
  Client& open(std::string_view fields = {}) {
    Client& client = connect();
    EXPECT_THAT(request(client, fields), StartsWith("HTTP/1.1 101 "));
    return client;
  }
  void frame(Client& client, std::uint8_t first, std::string body) {
    char head[wire::kMostFrameHead];
    const std::size_t size = wire::write_frame_head(head, first, body.size(), 0x12345678);
    wire::unmask(body, 0x12345678);
    say(client, std::string(head, size) + body);
  }
  void say_text(Client& client, std::string_view body) { frame(client, 0x81, std::string(body)); }
  // The next frame: its first byte as a character of what it is, then its body.
  std::string next(Client& client) {
    std::string line;
    until([&] {
      wire::FrameHead head;
      const auto [step, size] = wire::read_frame_head(client.seen, head);
      if (step != wire::HeadStep::whole || client.seen.size() < size + head.length) return client.ended;
      constexpr std::string_view kNames = ".tb.....cpP.....";
      line = kNames[static_cast<std::size_t>(head.opcode)];
      if (head.rsv != 0) line += '*';
      line += " " + client.seen.substr(size, head.length);
      client.seen.erase(0, size + head.length);
      return true;
    });
    return line;
  }

  net::Loop loop;
  std::unique_ptr<Endpoint> endpoint;
  std::unique_ptr<http::Server> server;
  std::deque<Client> clients;
};

struct Echo : World {};
struct TopicsOfClients : World {
  TopicsOfClients() {
    Options options;
    options.mode = Mode::topics;
    options.max_topics = 2;
    serve(options);
  }
  Client& member(const std::string& topic) {
    Client& client = open();
    say_text(client, "subscribe " + topic);
    EXPECT_EQ(next(client), "t subscribed " + topic);
    return client;
  }
};

TEST_F(Echo, GivesBackTextAndBinary) {
  serve({});
  Client& client = open();
  say_text(client, "hello");
  EXPECT_EQ(next(client), "t hello");
  frame(client, 0x82, "\xff");
  EXPECT_EQ(next(client), "b \xff");
  EXPECT_EQ(endpoint->connections(), 1u);
  EXPECT_EQ(endpoint->totals().messages_in, 2u);
  EXPECT_EQ(endpoint->totals().messages_out, 2u);
}

TEST_F(Echo, IsForItsPathAlone) {
  serve({});
  EXPECT_THAT(request(connect(), {}, "GET /wsx HTTP/1.1"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(request(connect(), {}, "GET /ws?a=b HTTP/1.1"), StartsWith("HTTP/1.1 101 "));
}

TEST_F(Echo, PlainRequestIsToldToUpgrade) {
  serve({});
  Client& client = connect();
  say(client, "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = head_of(client);
  EXPECT_THAT(head, StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(head, HasSubstr("Sec-WebSocket-Version: 13\r\n"));
  EXPECT_EQ(endpoint->totals().refused, 1u);
}

TEST_F(Echo, OtherVersionIsToldOurs) {
  serve({});
  Client& client = connect();
  say(client,
      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
      "8\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  EXPECT_THAT(head_of(client),
              testing::AllOf(StartsWith("HTTP/1.1 426 "), HasSubstr("Sec-WebSocket-Version: 13\r\n")));
}

TEST_F(Echo, BadKeyIsRefused) {
  serve({});
  Client& client = connect();
  say(client,
      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
      "13\r\n"
      "Sec-WebSocket-Key: short\r\n\r\n");
  EXPECT_THAT(head_of(client), StartsWith("HTTP/1.1 400 "));
}

TEST_F(Echo, FirstSubprotocolIsTaken) {
  serve({});
  EXPECT_THAT(request(connect(), "Sec-WebSocket-Protocol: chat, superchat\r\n"),
              HasSubstr("Sec-WebSocket-Protocol: chat\r\n"));
}

TEST_F(Echo, CompressionIsAgreedWhereItIsOffered) {
  serve({});
  EXPECT_THAT(request(connect()), testing::Not(HasSubstr("Extensions")));
  Client& client = connect();
  EXPECT_THAT(request(client, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"),
              HasSubstr("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                        "client_no_context_takeover\r\n"));
  say_text(client, std::string(2000, 'x'));
  EXPECT_THAT(next(client), StartsWith("t* "));
}

// RFC 7692, 7.1: what cannot be agreed to is declined, and the connection goes on without it.
TEST_F(Echo, CompressionThatIsOfferedWronglyIsDeclined) {
  serve({});
  for (const char* offer :
       {"permessage-deflate; x=1", "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover=1", "permessage-deflate; =", "permessage-deflate x",
        "; , =\"", "permessage-deflate; server_max_window_bits=\"9"}) {
    Client& client = connect();
    const std::string head = request(client, "Sec-WebSocket-Extensions: " + std::string(offer) + "\r\n");
    EXPECT_THAT(head, StartsWith("HTTP/1.1 101 ")) << offer;
    EXPECT_THAT(head, testing::Not(HasSubstr("Extensions"))) << offer;
    say_text(client, std::string(2000, 'x'));
    EXPECT_THAT(next(client), StartsWith("t x")) << offer;
  }
}

TEST_F(Echo, MessageOverTheLimitClosesIt) {
  serve({});
  Client& client = open();
  say_text(client, std::string(16 * 1024, 'x'));
  EXPECT_EQ(next(client).size(), 2u + 16 * 1024);
  say_text(client, std::string(16 * 1024 + 1, 'x'));
  EXPECT_EQ(next(client), "c \x03\xf1");  // 1009
  EXPECT_EQ(endpoint->connections(), 0u);
}

TEST_F(Echo, OneMoreThanItTakesIsClosed) {
  Options options;
  options.max_connections = 1;
  serve(options);
  Client& first = open();
  EXPECT_EQ(next(open()), "c \x03\xf0Server at capacity");
  EXPECT_EQ(endpoint->connections(), 1u);
  EXPECT_EQ(endpoint->totals().refused, 1u);
  first.fd.reset();
  until([&] { return endpoint->connections() == 0; });
  say_text(open(), "room again");
}

TEST_F(Echo, QuietClientIsPingedAndLivesByItsPong) {
  Options options;
  options.idle_timeout_ms = 1'000;  // half a second for the pong
  serve(options);
  Client& client = open();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(next(client), "p ");
    frame(client, 0x8a, "");
  }
  EXPECT_EQ(endpoint->totals().timed_out, 0u);
}

TEST_F(Echo, ClientThatNeverAnswersIsDropped) {
  Options options;
  options.idle_timeout_ms = 40;
  serve(options);
  Client& client = open();
  EXPECT_EQ(next(client), "p ");
  until([&] { return client.ended; });
  EXPECT_EQ(endpoint->totals().timed_out, 1u);
  EXPECT_EQ(endpoint->connections(), 0u);
}

TEST_F(Echo, SlowReaderLosesWhatIsOverTheLimit) {
  serve({});
  Client& client = open();
  const std::string body(10'000, 'x');
  std::size_t said = 0;
  while (endpoint->totals().left_out == 0) {  // no look at what comes back
    frame(client, 0x81, body);
    ++said;
    turn();
  }
  EXPECT_EQ(endpoint->connections(), 1u);
  while (endpoint->totals().messages_in < said) turn();
  const std::uint64_t due = endpoint->totals().messages_out;
  for (std::uint64_t i = 0; i < due; ++i) EXPECT_EQ(next(client), "t " + body);
  say_text(client, "still here");
  EXPECT_EQ(next(client), "t still here");
}

TEST_F(Echo, SlowReaderIsClosedWhereThatIsAsked) {
  Options options;
  options.close_slow = true;
  serve(options);
  Client& client = open();
  std::string message;
  {
    char head[wire::kMostFrameHead];
    std::string body(10'000, 'x');
    wire::unmask(body, 1);
    message.assign(head, wire::write_frame_head(head, 0x81, body.size(), 1)).append(body);
  }
  const std::uint64_t end = net::now_ms() + 10'000;
  while (endpoint->connections() == 1 && net::now_ms() < end) {
    if (::send(client.fd.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) turn();
  }
  EXPECT_EQ(endpoint->connections(), 0u);
  EXPECT_EQ(endpoint->totals().left_out, 0u);
}

TEST_F(Echo, DrainClosesEverybodyAndTakesNobody) {
  serve({});
  for (int i = 0; i < 7; ++i) open();
  endpoint->drain(100);
  EXPECT_THAT(request(connect()), StartsWith("HTTP/1.1 503 "));
  for (int i = 0; i < 7; ++i) {
    Client& client = clients[static_cast<std::size_t>(i)];
    EXPECT_EQ(next(client), "c \x03\xf4Service restart");
    frame(client, 0x88, "\x03\xf4");
  }
  until([&] { return endpoint->connections() == 0; });
}

TEST_F(Echo, CloseAllEndsThemAtOnce) {
  serve({});
  Client& client = open();
  endpoint->close_all();
  until([&] { return client.ended; });
  EXPECT_EQ(endpoint->connections(), 0u);
}

// --- topics ---

TEST_F(TopicsOfClients, MessageReachesTheOthersOfATopic) {
  Client& a = member("news");
  Client& b = member("news");
  Client& c = member("else");
  say_text(a, "publish news it  rains ");
  EXPECT_EQ(next(b), "t message news it  rains ");
  say_text(a, "publish else x");  // not a member itself
  EXPECT_EQ(next(c), "t message else x");
  say_text(b, "publish news back");
  EXPECT_EQ(next(a), "t message news back") << "and not its own before it";
}

TEST_F(TopicsOfClients, BinaryDataStaysBinary) {
  Client& a = member("t");
  Client& b = member("t");
  frame(a, 0x82, std::string("publish t \0\xff", 12));
  EXPECT_EQ(next(b), std::string("b message t \0\xff", 14));
}

TEST_F(TopicsOfClients, WhoUnsubscribesHearsNoMore) {
  Client& a = member("t");
  Client& b = member("t");
  say_text(b, "unsubscribe t");
  EXPECT_EQ(next(b), "t unsubscribed t");
  say_text(a, "publish t x");
  say_text(b, "subscribe u");
  EXPECT_EQ(next(b), "t subscribed u");
}

TEST_F(TopicsOfClients, WhoIsSubscribedTwiceHearsOnce) {
  Client& a = member("t");
  Client& b = member("t");
  say_text(b, "subscribe t");
  EXPECT_EQ(next(b), "t subscribed t");
  say_text(a, "publish t 1");
  say_text(a, "publish t 2");
  EXPECT_EQ(next(b), "t message t 1");
  EXPECT_EQ(next(b), "t message t 2");
}

TEST_F(TopicsOfClients, TopicsGoWithTheirLastMember) {
  std::vector<Client*> them;
  for (int i = 0; i < 5; ++i) them.push_back(&member("t"));
  say_text(*them[1], "subscribe u");
  EXPECT_EQ(next(*them[1]), "t subscribed u");
  EXPECT_EQ(endpoint->topics(), 2u);
  for (const int i : {1, 0, 3}) {
    them[static_cast<std::size_t>(i)]->fd.reset();
    const std::size_t before = endpoint->connections();
    until([&] { return endpoint->connections() < before; });
  }
  EXPECT_EQ(endpoint->topics(), 1u);
  say_text(*them[2], "publish t x");
  EXPECT_EQ(next(*them[4]), "t message t x");
  them[2]->fd.reset();
  say_text(*them[4], "unsubscribe t");
  EXPECT_EQ(next(*them[4]), "t unsubscribed t");
  until([&] { return endpoint->topics() == 0; });
}

TEST_F(TopicsOfClients, WhatIsNoCommandIsAnsweredWhy) {
  Client& client = open();
  for (const char* said : {"", "hello", "subscribed t", "SUBSCRIBE t"}) {
    say_text(client, said);
    EXPECT_EQ(next(client), "t error unknown command") << said;
  }
  for (const std::string& topic :
       {std::string(), std::string(" t"), std::string("é"), std::string("a\tb"), std::string(65, 'x')}) {
    say_text(client, "subscribe " + topic);
    EXPECT_EQ(next(client), "t error invalid topic") << topic;
  }
  say_text(client, "subscribe " + std::string(64, 'x'));
  EXPECT_EQ(next(client), "t subscribed " + std::string(64, 'x'));
}

TEST_F(TopicsOfClients, TopicsOfAConnectionAreBounded) {
  Client& client = member("a");
  say_text(client, "subscribe b");
  EXPECT_EQ(next(client), "t subscribed b");
  say_text(client, "subscribe c");
  EXPECT_EQ(next(client), "t error too many topics");
  say_text(client, "subscribe a");
  EXPECT_EQ(next(client), "t subscribed a");
}

TEST_F(TopicsOfClients, PublishedMessageIsCompressedForThoseWhoAgreed) {
  Client& a = member("t");
  Client& b = member("t");
  Client& c = open("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  say_text(c, "subscribe t");
  EXPECT_EQ(next(c), "t subscribed t");
  const std::string data(3000, 'z');
  say_text(a, "publish t " + data);
  EXPECT_EQ(next(b), "t message t " + data);
  EXPECT_THAT(next(c), StartsWith("t* "));
}

}  // namespace
}  // namespace limpet::raw
