#include "backend/app/pages.h"

#include "tests/unit/http/world.h"

namespace limpet::app {
namespace {

using http::Client;
using http::World;

struct Pages {
  explicit Pages(bool on_tcp = true) : admin(health, on_tcp, [] { return std::string("a_metric 1\n"); }) {}
  std::string_view state = "ok";
  HealthPage health{[this] { return state; }};
  AdminPages admin;
  // What it says to one request: its status line's code, then the body.
  std::string ask(http::Handler& page, std::string_view request,
                  std::string_view fields = "Host: localhost\r\n") {
    World w;
    w.handler.act = [&](http::Exchange& exchange) { page.on_request(exchange); };
    Client& c = w.connect();
    c.send(std::string(request) + " HTTP/1.1\r\nConnection: close\r\n" + std::string(fields) + "\r\n");
    EXPECT_TRUE(w.until([&] { return c.ended(); }));
    return c.seen.substr(9, 3) + " " + c.seen.substr(c.seen.find("\r\n\r\n") + 4);
  }
};

TEST(HealthPage, SaysOkOrWhyNot) {
  Pages p;
  EXPECT_EQ(p.ask(p.health, "GET /health"), "200 ok");
  EXPECT_EQ(p.ask(p.health, "GET /health?x=1"), "200 ok");
  EXPECT_EQ(p.ask(p.health, "HEAD /health"), "200 ");
  p.state = "full";
  EXPECT_EQ(p.ask(p.health, "GET /health"), "503 full");
  p.state = "draining";
  EXPECT_EQ(p.ask(p.health, "GET /health"), "503 draining");
}

TEST(HealthPage, WithoutRedisIsDegradedAndWhereThatIsWantedUnwell) {
  Pages p;
  p.state = "degraded";
  EXPECT_EQ(p.ask(p.health, "GET /health"), "200 degraded");
  HealthPage strict([] { return std::string_view("degraded"); }, true);
  EXPECT_EQ(p.ask(strict, "GET /health"), "503 degraded");
  HealthPage well([] { return std::string_view("ok"); }, true);
  EXPECT_EQ(p.ask(well, "GET /health"), "200 ok");
}

TEST(HealthPage, IsThatPageAndThoseMethodsAlone) {
  Pages p;
  EXPECT_EQ(p.ask(p.health, "GET /healthz"), "404 not found\n");
  EXPECT_EQ(p.ask(p.health, "GET /health/"), "404 not found\n");
  EXPECT_EQ(p.ask(p.health, "DELETE /health"), "405 only GET\n");
  EXPECT_EQ(p.ask(p.health, "OPTIONS /health"), "405 only GET\n");
}

TEST(AdminPages, HaveMetricsAndHealth) {
  Pages p;
  EXPECT_EQ(p.ask(p.admin, "GET /metrics"), "200 a_metric 1\n");
  EXPECT_EQ(p.ask(p.admin, "GET /health"), "200 ok");
  EXPECT_EQ(p.ask(p.admin, "GET /"), "404 not found\n");
  EXPECT_EQ(p.ask(p.admin, "POST /metrics"), "405 only GET\n");
}

TEST(AdminPages, AreNotForPagesInBrowsers) {
  Pages p;
  for (const char* fields :
       {"Host: evil.example\r\n", "Host: 10.0.0.1\r\n", "Host: localhost\r\nOrigin: http://localhost\r\n",
        "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"}) {
    EXPECT_EQ(p.ask(p.admin, "GET /metrics", fields), "403 not for browsers' pages\n") << fields;
  }
  for (const char* fields :
       {"Host: 127.0.0.1:1\r\n", "Host: [::1]:1\r\n", "Host: LOCALHOST\r\nSec-Fetch-Site: none\r\n"}) {
    EXPECT_EQ(p.ask(p.admin, "GET /metrics", fields), "200 a_metric 1\n") << fields;
  }
  Pages on_unix(false);
  EXPECT_EQ(on_unix.ask(on_unix.admin, "GET /metrics", "Host: anything\r\n"), "200 a_metric 1\n");
}

}  // namespace
}  // namespace limpet::app
