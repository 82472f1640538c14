// What the proxy's admin socket says, read, and what the bundle's own says.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "proxy/bundle/control.h"

namespace limpet::bundle {
namespace {

TEST(Answers, AreReadWhole) {
  const auto answer =
      read_answer("HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.type, "text/plain");
  EXPECT_EQ(answer.body, "ok");
}

TEST(Answers, CutOnesAndOthersAreNone) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(read_answer(whole.substr(0, length)).status, 0) << length;
  }
  EXPECT_EQ(read_answer(whole + "x").status, 0);
  EXPECT_EQ(read_answer("HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n").status, 0);
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\n\r\n").status, 0);
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n").status, 0);
  EXPECT_EQ(read_answer("HTTP/1.1\r\n\r\n").status, 0);
}

TEST(PoolStates, AreThoseOfTheBundlesPool) {
  const auto pool =
      read_pool_state(R"({"pools":[{"name":"x","servers":[{"id":"a","state":"up","wanted":"serving"}]},)"
                      R"({"name":"nodes","servers":[{"id":"n1","state":"down","wanted":"draining"}]}]})");
  ASSERT_EQ(pool.size(), 1u);
  EXPECT_EQ(pool.at("n1").state, "down");
  EXPECT_EQ(pool.at("n1").wanted, "draining");
}

TEST(PoolStates, OfWhatIsNoStatusAreNone) {
  for (const char* text : {"", "{", "[]", "{}", R"({"pools":1})", R"({"pools":[{"name":"nodes"}]})",
                           R"({"pools":[{"name":"nodes","servers":[{"id":1}]}]})"}) {
    EXPECT_TRUE(read_pool_state(text).empty()) << text;
  }
}

TEST(OverviewJson, HasChildrenAndOperations) {
  Overview overview;
  overview.stage = Overview::Stage::serving;
  overview.children.push_back(
      {"n1", Kind::node, State::held, 0, 5, 1'000, "GET /health: 200", "unix:/a", "unix:/b"});
  overview.last_operation = {3, "restart", 2, 2, "n1 does not start"};
  const auto json = boost::json::parse(overview_json(overview, 4'000));
  EXPECT_EQ(json.at("stage").as_string(), "serving");
  EXPECT_TRUE(json.at("operation").is_null());
  EXPECT_EQ(json.at("last_operation").at("error").as_string(), "n1 does not start");
  const auto& child = json.at("children").at(0);
  EXPECT_EQ(child.at("state").as_string(), "held");
  EXPECT_EQ(child.at("state_for_ms").as_int64(), 3'000);
  EXPECT_EQ(child.at("restarts").as_int64(), 5);
}

}  // namespace
}  // namespace limpet::bundle
