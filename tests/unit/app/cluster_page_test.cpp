#include "backend/app/cluster_page.h"

#include <gmock/gmock.h>

#include "backend/app/pages.h"
#include "backend/app/roster.h"
#include "tests/unit/http/world.h"

namespace limpet::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Pages {
  HealthPage health{[] { return std::string_view("ok"); }};
  std::string ask(std::string_view request, std::string_view path = "/socket.io/") {
    ClusterPage page(path, health);
    http::World w;
    w.handler.act = [&](http::Exchange& exchange) { page.on_request(exchange); };
    http::Client& c = w.connect();
    c.send(std::string(request) + " HTTP/1.1\r\nConnection: close\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(w.until([&] { return c.ended(); }));
    return c.seen;
  }
};

TEST(ClusterPage, IsThreeFilesThatRunNothingElse) {
  Pages p;
  for (const auto& [path, type] : {std::pair("/", "text/html"),
                                   {"/limpet.css", "text/css"},
                                   {"/limpet.js", "text/javascript"},
                                   {"/?x=1", "text/html"}}) {
    EXPECT_THAT(p.ask("GET " + std::string(path)),
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr(std::string("Content-Type: ") + type),
                      HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'self'"),
                      HasSubstr("X-Content-Type-Options: nosniff")));
  }
}

TEST(ClusterPage, AsksNobodyElse) {
  for (const std::string_view each : {kClusterPageHtml, kClusterPageCss, kClusterPageJs}) {
    EXPECT_THAT(std::string(each), AllOf(Not(HasSubstr("http://")), Not(HasSubstr("https://")),
                                         Not(HasSubstr("innerHTML")), Not(HasSubstr("style="))));
  }
}

TEST(ClusterPage, KnowsThePathOfSocketIo) {
  Pages p;
  EXPECT_THAT(p.ask("GET /"), HasSubstr("data-path=\"/socket.io/\""));
  EXPECT_THAT(p.ask("GET /", "/a\"<&/"), HasSubstr("data-path=\"/a&quot;&lt;&amp;/\""));
}

TEST(ClusterPage, LeavesTheRestToOthers) {
  Pages p;
  EXPECT_THAT(p.ask("GET /health"), AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("\r\n\r\nok")));
  EXPECT_THAT(p.ask("GET /x"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(p.ask("POST /"), AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD")));
  EXPECT_THAT(p.ask("HEAD /"), AllOf(StartsWith("HTTP/1.1 200 "), Not(HasSubstr("<!doctype"))));
}

TEST(Roster, TakesAnswersThatAreNodes) {
  using testing::ElementsAre;
  using testing::Pair;
  const auto answers =
      boost::json::parse(R"([{"id":"n2","sessions":3},{"id":"n1","sessions":4},{"id":"n3","sessions":0},
      null, 1, "n4", [], {}, {"id":"n5"}, {"sessions":1}, {"id":6,"sessions":1}, {"id":"n7","sessions":-1},
      {"id":"n8","sessions":1.5}, {"id":"n9","sessions":"1"}])")
          .as_array();
  EXPECT_THAT(read_answers(socketio::Args(answers, {}), "n1"), ElementsAre(Pair("n2", 3), Pair("n3", 0)));
  boost::json::array many{boost::json::object{{"id", std::string(65, 'x')}, {"sessions", 1}}};
  for (int i = 0; i < 5'000; ++i)
    many.push_back(boost::json::object{{"id", std::to_string(i)}, {"sessions", 1}});
  EXPECT_EQ(read_answers(socketio::Args(many, {}), "n1").size(), 1'024u);
}

}  // namespace
}  // namespace limpet::app
