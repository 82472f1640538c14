#include "proxy/session/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/session/affinity_cookie.h"

namespace limpet::session {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string page(Outcome outcome, PageOptions options = {}) {
  std::string out;
  append_answer(out, outcome, options);
  return out;
}

TEST(Answers, EveryCauseHasAReasonOfSmallLetters) {
  for (std::size_t i = 0; i < kCauses; ++i) {
    const Answer& answer = answer_of(static_cast<Cause>(i));
    EXPECT_FALSE(answer.reason.empty());
    EXPECT_EQ(answer.reason.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"),
              std::string_view::npos);
    if (answer.status != 0) {
      EXPECT_NE(status_text(answer.status), "Error") << answer.status;
    }
  }
}

TEST(Answers, LengthOfThePageIsRight) {
  for (const bool json : {false, true}) {
    const std::string text = page({Cause::all_down, std::nullopt}, {.request_id = "abc", .json = json});
    const std::size_t body = text.find("\r\n\r\n") + 4;
    EXPECT_THAT(text, HasSubstr("Content-Length: " + std::to_string(text.size() - body) + "\r\n"));
    EXPECT_THAT(text, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_THAT(text, HasSubstr("Retry-After: "));
    EXPECT_THAT(text, HasSubstr("abc"));
    EXPECT_THAT(text, HasSubstr(json ? R"("reason":"all_down")" : "<h1>503 Service Unavailable</h1>"));
  }
}

TEST(Answers, HeadGetsNoBody) {
  const std::string text = page({Cause::no_route, std::nullopt}, {.head_only = true});
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("Content-Length: 0")));
}

TEST(Answers, LostSessionIsToldInTheServersOwnWords) {
  EXPECT_TRUE(page({Cause::sid_gone, std::nullopt})
                  .ends_with("\r\n\r\n{\"code\":1,\"message\":\"Session ID unknown\"}"));
  const std::string upgrade = page({Cause::sid_gone, std::nullopt}, {.upgrade = true});
  EXPECT_THAT(upgrade,
              StartsWith("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-type: text/html\r\n"));
  EXPECT_TRUE(upgrade.ends_with("\r\n\r\nSession ID unknown"));
}

TEST(Answers, FaultsGiveTheStatusAndTheReason) {
  const Outcome outcome{Cause::bad_request, wire::Fault::head_too_large};
  EXPECT_EQ(status_of(outcome), 431);
  EXPECT_EQ(reason_of(outcome), wire::text_of(wire::Fault::head_too_large));
  EXPECT_THAT(page({Cause::bad_request, wire::Fault::version_not_13}),
              HasSubstr("Sec-WebSocket-Version: 13\r\n"));
  EXPECT_EQ(status_of({Cause::bad_answer, wire::Fault::head_too_large}), 502) << "a server's fault is a 502";
}

TEST(Answers, JsonIsForThoseWhoAcceptIt) {
  EXPECT_TRUE(accepts_json("application/json"));
  EXPECT_TRUE(accepts_json("text/html, Application/JSON;q=0.5"));
  EXPECT_FALSE(accepts_json("text/html, */*"));
  EXPECT_FALSE(accepts_json("application/json;q=0"));
  EXPECT_FALSE(accepts_json("application/jsonp"));
  EXPECT_FALSE(accepts_json(""));
}

TEST(AffinityCookie, AttributesAreExactlyTheDefaultOnes) {
  EXPECT_EQ(cookie_text({}, "ws1", false), "io=ws1; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_EQ(cookie_text({}, "ws1", true), "io=ws1; Path=/; HttpOnly; SameSite=Lax; Secure");
}

TEST(AffinityCookie, EveryAttributeCanBeSet) {
  config::Cookie cookie;
  cookie.name = "lb";
  cookie.path = "/x";
  cookie.domain = "example.org";
  cookie.max_age = std::chrono::seconds(60);
  cookie.http_only = false;
  cookie.same_site = config::SameSite::none;
  cookie.secure = config::Secure::yes;
  cookie.partitioned = true;
  EXPECT_EQ(cookie_text(cookie, "a", false),
            "lb=a; Path=/x; Domain=example.org; Max-Age=60; SameSite=None; Secure; Partitioned");
}

struct Decided : testing::Test {
  config::Pool settings;
  config::PoolEntry entry{settings, make_pool(), {}, {}, nullptr, {}, {}};
  routing::Choice choice{entry.routing.members().data(), routing::By::source, routing::Refusal::none, false};
  wire::ResponseHead answer;

  Decided() { answer.status = 200; }
  static routing::Pool make_pool() {
    return routing::Pool({}, {{std::make_shared<routing::Server>("ws", "ws1"), 1, 0, false}});
  }
  AffinityCookie decide(routing::Kind kind) { return decide_cookie(entry, choice, kind, answer, "http"); }
};

TEST_F(Decided, SetOnTheAnswerThatBeginsASessionAlone) {
  EXPECT_EQ(decide(routing::Kind::begins).set, "io=ws1; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_EQ(decide(routing::Kind::belongs).set, "");
  EXPECT_EQ(decide(routing::Kind::plain).set, "");
  settings.cookie.on = config::CookieOn::all;
  EXPECT_NE(decide(routing::Kind::plain).set, "");
}

TEST_F(Decided, NotSetAgainForWhoeverHasAValidOne) {
  choice.cookie_valid = true;
  EXPECT_EQ(decide(routing::Kind::begins).set, "");
}

TEST_F(Decided, NotSetOnAnAnswerThatBeganNothing) {
  answer.status = 400;
  EXPECT_EQ(decide(routing::Kind::begins).set, "");
}

TEST_F(Decided, ServersOwnIsReplacedRewrittenOrLeftAlone) {
  EXPECT_EQ(decide(routing::Kind::begins).replace, "io");
  settings.cookie.mode = config::CookieMode::rewrite;
  EXPECT_EQ(decide(routing::Kind::begins).rewrite_value, "ws1");
  EXPECT_EQ(decide(routing::Kind::begins).set, "");
  settings.cookie.mode = config::CookieMode::passive;
  EXPECT_EQ(decide(routing::Kind::begins).replace, "");
}

}  // namespace
}  // namespace limpet::session
