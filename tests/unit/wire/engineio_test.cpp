// Engine.IO: whose request, which sid (protocol revisions 3 and 4).
#include "proxy/wire/engineio.h"

#include <gtest/gtest.h>

#include <string>

namespace limpet::wire {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

TEST(EngineIoQuery, OfAnOpenAndOfARequestThatBelongs) {
  const auto open = parse_engineio_query("EIO=4&transport=polling&t=abc");
  EXPECT_TRUE(open.engineio);
  EXPECT_FALSE(open.websocket);
  EXPECT_FALSE(open.sid_given);
  EXPECT_FALSE(open.jsonp);
  const auto later = parse_engineio_query("EIO=4&transport=websocket&sid=0123456789_ABCDEFg-h");
  EXPECT_TRUE(later.engineio);
  EXPECT_TRUE(later.websocket);
  EXPECT_TRUE(later.sid_given);
  EXPECT_EQ(later.sid(), "0123456789_ABCDEFg-h");
  EXPECT_TRUE(parse_engineio_query("j=0&EIO=3&transport=polling").jsonp);
}

TEST(EngineIoQuery, NeedsRevisionAndTransport) {
  for (const char* query :
       {"", "EIO=4", "transport=polling", "EIO=4&transport=", "EIO=4&transport=Polling",
        "EIO=4&transport=webtransport", "eio=4&transport=polling", "EIO=4;transport=polling",
        "EIO=4&transport=pollingx", "XEIO=4&transport=polling"}) {
    EXPECT_FALSE(parse_engineio_query(query).engineio) << query;
  }
  EXPECT_TRUE(parse_engineio_query("EIO&transport=polling").engineio);
  EXPECT_TRUE(parse_engineio_query("&&EIO=&&transport=polling&").engineio);
}

TEST(EngineIoQuery, OfRepeatedKeysTheLastCounts) {
  EXPECT_EQ(parse_engineio_query("sid=a&sid=b").sid(), "b");
  EXPECT_FALSE(parse_engineio_query("sid=a&sid=").sid_given);
  EXPECT_EQ(parse_engineio_query("sid=a&sid=%").sid(), "");
  EXPECT_FALSE(parse_engineio_query("EIO=4&transport=polling&transport=x").engineio);
  EXPECT_TRUE(parse_engineio_query("EIO=4&transport=websocket&transport=polling").engineio);
  EXPECT_FALSE(parse_engineio_query("EIO=4&transport=websocket&transport=polling").websocket);
}

TEST(EngineIoQuery, KeysAndValuesArePercentDecoded) {
  const auto query = parse_engineio_query("%45IO=4&t%72ansport=%70olling&s%69d=a%2Db");
  EXPECT_TRUE(query.engineio);
  EXPECT_EQ(query.sid(), "a-b");
  EXPECT_EQ(parse_engineio_query("sid=%2").sid(), "");
  EXPECT_EQ(parse_engineio_query("sid=a+b").sid(), "");
}

TEST(EngineIoQuery, OddSidsAreIgnoredButSeen) {
  for (const std::string& sid : {"a b"s, "a%00b"s, "a.b"s, "\xff"s, std::string(65, 'a'),
                                 std::string(8000, 'a'), "%61"s + std::string(64, 'a')}) {
    const auto query = parse_engineio_query("sid=" + sid);
    EXPECT_TRUE(query.sid_given) << sid;
    EXPECT_EQ(query.sid(), "") << sid;
  }
  EXPECT_EQ(parse_engineio_query("sid=" + std::string(64, 'a')).sid().size(), 64u);
}

constexpr const char* kPacket =
    R"(0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})";

// The packet as JSON.stringify() writes it into a JSONP answer.
std::string as_jsonp(std::string_view text, std::string_view index = "7") {
  std::string body = "___eio[" + std::string(index) + "](\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') body += '\\';
    body += c;
  }
  return body + "\");";
}

TEST(EngineIoOpen, IsReadInEveryForm) {
  const std::string packet = kPacket;
  const std::string sized = std::to_string(packet.size()) + ":" + packet;
  for (const std::string& body :
       {packet, packet + "\x1e" + "4hello", sized, sized + "2:40", as_jsonp(packet), as_jsonp(sized),
        as_jsonp(sized + "2:40"), as_jsonp(packet, ""), as_jsonp(packet).substr(0, packet.size() + 40)}) {
    const auto open = parse_engineio_open(body);
    ASSERT_TRUE(open) << body;
    EXPECT_EQ(open->sid, "lv_VI97HAXpY6yYWAAAC");
    EXPECT_EQ(open->ping_interval, 25s);
    EXPECT_EQ(open->ping_timeout, 20s);
  }
}

TEST(EngineIoOpen, KeysMayComeInAnyOrderWithStrangersAndSpaceBetween) {
  const auto open = parse_engineio_open(
      "0{ \"pingTimeout\" : 5000 ,\"x\":{\"sid\":\"no\",\"a\":[1,\"}\\\"\",{}]},\"y\":null,\"z\":-1.5e3,"
      "\"sid\":\"a\"\n, \"pingInterval\":\t1e4 }");
  ASSERT_TRUE(open);
  EXPECT_EQ(open->sid, "a");
  EXPECT_EQ(open->ping_interval, 10s);
  EXPECT_EQ(open->ping_timeout, 5s);
}

TEST(EngineIoOpen, HeartbeatsHaveBoundsAndDefaults) {
  const auto interval = [](const char* value) {
    return parse_engineio_open(R"(0{"sid":"a","pingInterval":)"s + value + "}").value().ping_interval;
  };
  EXPECT_EQ(interval("0"), 1s);
  EXPECT_EQ(interval("-5"), 1s);
  EXPECT_EQ(interval("-1e999"), 1s);
  EXPECT_EQ(interval("1e999"), 24h);
  EXPECT_EQ(interval("99999999999999999999"), 24h);
  EXPECT_EQ(interval("1500.9"), 1500ms);
  EXPECT_EQ(interval("\"1\""), 25s);
  EXPECT_EQ(interval("null"), 25s);
  EXPECT_EQ(parse_engineio_open(R"(0{"sid":"a"})").value().ping_timeout, 20s);
}

TEST(EngineIoOpen, EveryProperPrefixIsNothing) {
  const std::string packet = kPacket;
  for (const std::string& body :
       {packet, "98:" + packet, as_jsonp(packet).substr(0, as_jsonp(packet).size() - 3)}) {
    for (std::size_t n = 0; n < body.size(); ++n) EXPECT_FALSE(parse_engineio_open(body.substr(0, n))) << n;
  }
}

TEST(EngineIoOpen, OnlyTheFirst4KiBAreLookedAt) {
  const std::string padding(4096, 'x');
  EXPECT_FALSE(parse_engineio_open(R"(0{"p":")" + padding + R"(","sid":"a"})"));
  EXPECT_FALSE(parse_engineio_open(R"(0{"sid":"a","p":")" + padding + "\"}"));
}

TEST(EngineIoOpen, OtherBodiesAreNothing) {
  for (const char* body : {"",
                           "0",
                           "0{}",
                           "0[]",
                           "0{\"sid\":\"\"}",
                           "0{\"sid\":1}",
                           "0{\"sid\":\"a b\"}",
                           "0{\"sid\":\"a\\u0062\"}",
                           "4{\"sid\":\"a\"}",
                           "{\"sid\":\"a\"}",
                           "0{\"sid\":\"a\",}",
                           "0{sid:\"a\"}",
                           "0{\"sid\" \"a\"}",
                           "0{\"sid\":\"a\" \"b\":1}",
                           "0{\"a\":nul,\"sid\":\"a\"}",
                           "0{\"a\":-nan,\"sid\":\"a\"}",
                           "0{\"a\":1-2,\"sid\":\"a\"}",
                           "0{\"a\":,\"sid\":\"a\"}",
                           "ok",
                           "___eio[0](",
                           "___eio[0]('0{}')",
                           "___eio(\"0{}\")",
                           "___",
                           "12345678901:0{\"sid\":\"a\"}",
                           ":0{\"sid\":\"a\"}",
                           "0{\"a\":[,\"sid\":\"a\"}",
                           "0{\"a\":[\"",
                           "___eio[0](\"0{\\"}) {
    EXPECT_FALSE(parse_engineio_open(body)) << body;
  }
  EXPECT_FALSE(parse_engineio_open("0{\"sid\":\"" + std::string(65, 'a') + "\"}"));
  EXPECT_FALSE(parse_engineio_open("0{\"a\":" + std::string(4000, '[')));
}

TEST(EngineIoError, CodeOneSaysThatTheSidIsUnknown) {
  EXPECT_TRUE(says_sid_unknown(kSidUnknownJson));
  EXPECT_TRUE(says_sid_unknown(kSidUnknownText));
  EXPECT_TRUE(says_sid_unknown(R"({"message":"other words","code":1})"));
  for (const char* body :
       {"", "{}", R"({"code":3,"message":"Bad request"})", R"({"code":11})", R"({"code":"1"})",
        R"({"code":1)", "Bad request", "Session ID unknown!", "[1]", R"({"code":1,"code":2})"}) {
    EXPECT_FALSE(says_sid_unknown(body)) << body;
  }
}

TEST(BodySample, KeepsTheFirst4KiB) {
  BodySample sample;
  sample.add("");
  EXPECT_EQ(sample.bytes(), "");
  sample.add("ab");
  sample.add(std::string(5000, 'x'));
  EXPECT_TRUE(sample.full());
  EXPECT_EQ(sample.bytes(), "ab" + std::string(4094, 'x'));
  sample.add("y");
  EXPECT_EQ(sample.bytes().size(), BodySample::kMost);
  sample.clear();
  EXPECT_EQ(sample.bytes(), "");
}

}  // namespace
}  // namespace limpet::wire
