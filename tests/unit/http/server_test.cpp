#include "tests/unit/http/world.h"

namespace limpet::http {
namespace {

TEST(Http, AnswersARequestAndKeepsTheConnection) {
  World w;
  w.handler.act = say_ok;
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return c.has("\r\n\r\nok"); }));
  EXPECT_TRUE(c.seen.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: "));
  EXPECT_TRUE(c.has(" GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=75\r\nContent-Length: 2\r\n\r\n"));
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return c.count("HTTP/1.1 200 OK") == 2; }));
  EXPECT_EQ(w.server->connections(), 1U);
  EXPECT_EQ(w.server->totals().requests, 2U);
}

TEST(Http, AnswersPipelinedRequestsInOrder) {
  World w;
  w.handler.act = [](Exchange& e) { e.answer({.body = e.head().target}); };
  Client& c = w.connect();
  std::string all;
  for (int i = 0; i < 500; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  c.send(all);
  ASSERT_TRUE(w.until([&] { return c.has("\r\n\r\n/499"); }));
  ASSERT_EQ(w.handler.targets.size(), 500U);
  for (int i = 0; i < 500; ++i)
    EXPECT_EQ(w.handler.targets[static_cast<std::size_t>(i)], "/" + std::to_string(i));
}

TEST(Http, NextHeadWaitsForTheAnswer) {
  World w;
  Client& c = w.connect();
  c.send(std::string(kGet) + std::string(kGet));
  ASSERT_TRUE(w.until([&] { return w.handler.targets.size() == 1; }));
  for (int i = 0; i < 5; ++i) w.turn();
  EXPECT_EQ(w.handler.targets.size(), 1U);
  say_ok(*w.handler.last);
  EXPECT_EQ(w.server->exchanges(), 0U);
  EXPECT_EQ(w.handler.targets.size(), 1U);  // nobody is called from within answer()
  ASSERT_TRUE(w.until([&] { return w.handler.targets.size() == 2; }));
  say_ok(*w.handler.last);
  ASSERT_TRUE(w.until([&] { return c.count("HTTP/1.1 200 OK") == 2; }));
}

TEST(Http, ClientsGoingIsToldAtOnce) {
  World w;
  Client& c = w.connect();
  c.send(kGet);
  ASSERT_TRUE(w.until([&] { return w.handler.last != nullptr; }));
  c.close();
  ASSERT_TRUE(w.until([&] { return w.handler.gone == 1; }));
  EXPECT_EQ(w.server->connections(), 0U);
  EXPECT_EQ(w.server->exchanges(), 0U);
}

TEST(Http, BodyOfALengthComesWhole) {
  World w;
  w.handler.act = [](Exchange& e) { e.read_body(1 << 20); };
  w.handler.act_on_body = [&](std::string_view) { say_ok(*w.handler.last); };
  Client& c = w.connect();
  c.send("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01234");
  ASSERT_TRUE(w.until([&] { return w.handler.targets.size() == 1; }));
  c.send("56789" + std::string(kGet));
  w.handler.act = [&](Exchange& e) { say_ok(e); };
  ASSERT_TRUE(w.until([&] { return c.count("HTTP/1.1 200 OK") == 2; }));
  EXPECT_EQ(w.handler.bodies, std::vector<std::string>{"0123456789"});
}

}  // namespace
}  // namespace limpet::http
