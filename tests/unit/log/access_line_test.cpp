#include "proxy/log/access_line.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <limits>

#include "tests/unit/log/logs.h"

namespace limpet::log {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

std::string text_of(const AccessRecord& record) {
  Line line;
  return std::string(format_access(line, record, false));
}

std::string json_of(const AccessRecord& record) {
  Line line;
  return std::string(format_access(line, record, true));
}

boost::json::object parse(const std::string& line) {
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return boost::json::parse(line.substr(0, line.size() - 1)).as_object();
}

constexpr const char* kTime = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z";

TEST(AccessLine, TextHasEveryFactInTheDocumentedOrder) {
  EXPECT_THAT(
      text_of(plain_record()),
      MatchesRegex(std::string(kTime) +
                   " 203\\.0\\.113\\.7:51234 \"GET example\\.org/socket\\.io/ HTTP/1\\.1\" 200 kind=request "
                   "id=0123456789abcdef0123456789abcdef pool=ws server=ws1 by=learned sid=AbCdEf retries=0 "
                   "connect=0\\.123 first=1\\.002 total=1203\\.004 in=120 out=322 end=server:done "
                   "ua=\"curl/8\"\n"));
}

TEST(AccessLine, WhatIsNotThereIsADash) {
  AccessRecord r;
  r.ended_by = "client";
  r.reason = "bad_request";
  r.http_minor = 0;
  EXPECT_THAT(text_of(r),
              EndsWith("Z - \"- - HTTP/1.0\" 0 kind=request id=- pool=- server=- by=- sid=- retries=0 "
                       "connect=- first=- total=0.000 in=0 out=0 end=client:bad_request ua=\"\"\n"));
  const auto object = parse(json_of(r));
  for (const char* name : {"client", "id", "method", "host", "target", "pool", "server", "by", "sid",
                           "connect_ms", "first_byte_ms", "user_agent"}) {
    EXPECT_TRUE(object.at(name).is_null()) << name;
  }
}

TEST(AccessLine, ASidIsItsFirstSixCharacters) {
  EXPECT_THAT(text_of(plain_record()), Not(HasSubstr("AbCdEfG")));
  EXPECT_THAT(json_of(plain_record()), Not(HasSubstr("AbCdEfG")));
}

TEST(AccessLine, JsonHasTheSameFactsWithNumbersAsNumbers) {
  AccessRecord r = plain_record();
  r.tunnel = true;
  r.status = 101;
  r.retries = 2;
  const auto object = parse(json_of(r));
  EXPECT_EQ(
      boost::json::serialize(object).substr(object.at("time").as_string().size() + 11),
      R"("kind":"tunnel","client":"203.0.113.7:51234","id":"0123456789abcdef0123456789abcdef",)"
      R"("method":"GET","host":"example.org","target":"/socket.io/","protocol":"HTTP/1.1","status":101,)"
      R"("pool":"ws","server":"ws1","by":"learned","sid":"AbCdEf","retries":2,"connect_ms":1.23E-1,)"
      R"("first_byte_ms":1.002E0,"total_ms":1.203004E3,"bytes_in":120,"bytes_out":322,)"
      R"("ended_by":"server","reason":"done","user_agent":"curl/8"})");
  EXPECT_THAT(json_of(r), HasSubstr(R"("connect_ms":0.123,"first_byte_ms":1.002,"total_ms":1203.004)"));
}

TEST(AccessLine, NoFieldCanPassForAnother) {
  AccessRecord r = plain_record();
  r.client = "1.2.3.4:5 \"GET /\" 200";
  r.target = "/a HTTP/1.1\" 200\r\n";
  r.request_id = "x server=evil";
  r.server = "ws1\nws2";
  r.user_agent = "\" end=client:done\n2026\\";
  EXPECT_THAT(text_of(r), HasSubstr(R"( 1.2.3.4:5\x20\"GET\x20/\"\x20200 "GET )"));
  EXPECT_THAT(text_of(r),
              HasSubstr(R"( "GET example.org/a\x20HTTP/1.1\"\x20200\x0d\x0a HTTP/1.1" 200 kind)"));
  EXPECT_THAT(text_of(r), HasSubstr(R"( id=x\x20server=evil pool=ws server=ws1\x0aws2 by=)"));
  EXPECT_THAT(text_of(r), EndsWith("ua=\"\\\" end=client:done\\x0a2026\\\\\"\n"));
  const auto object = parse(json_of(r));
  EXPECT_EQ(object.at("target").as_string(), r.target);
  EXPECT_EQ(object.at("user_agent").as_string(), r.user_agent);
  EXPECT_EQ(object.at("server").as_string(), r.server);
}

TEST(AccessLine, BytesThatAreNotUtf8KeepJsonValid) {
  AccessRecord r = plain_record();
  r.user_agent = "\xff\xc3\xbc\xed\xa0\x80";
  EXPECT_EQ(parse(json_of(r)).at("user_agent").as_string(), "\xc3\xbf\xc3\xbc\xc3\xad\xc2\xa0\xc2\x80");
  EXPECT_THAT(text_of(r), EndsWith("ua=\"\\xff\xc3\xbc\\xed\\xa0\\x80\"\n"));
}

TEST(AccessLine, LongFieldsAreCutWithAMarkAndNoFactIsMissing) {
  const std::string worst(9000, '\x01'), target = "/" + std::string(9000, 'x');
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  AccessRecord r;
  r.client = r.request_id = r.method = r.host = r.route = r.server = r.by = r.sid = worst;
  r.ended_by = r.reason = r.user_agent = worst;
  r.target = target;
  r.status = 65535;
  r.retries = std::numeric_limits<std::uint32_t>::max();
  r.connect_us = r.first_byte_us = r.total_us = kMost - 1;
  r.bytes_in = r.bytes_out = kMost;
  EXPECT_LT(text_of(r).size(), Line::kMost);
  EXPECT_LT(json_of(r).size(), Line::kMost);
  EXPECT_THAT(text_of(r), HasSubstr("xxx... HTTP/1.1\" 65535 kind="));
  EXPECT_THAT(text_of(r), EndsWith("\\x01...\"\n"));
  EXPECT_EQ(parse(json_of(r)).at("bytes_out").as_uint64(), kMost);
}

TEST(AccessLine, AGapIsALineOfTheSameShape) {
  Line text, json;
  EXPECT_THAT(std::string(format_gap(text, 12, false)),
              MatchesRegex(std::string(kTime) + " - \"- - -\" 0 kind=dropped lines=12\n"));
  const auto object = parse(std::string(format_gap(json, 12, true)));
  EXPECT_EQ(object.at("kind").as_string(), "dropped");
  EXPECT_EQ(object.at("lines").as_int64(), 12);
  EXPECT_TRUE(object.contains("time"));
}

}  // namespace
}  // namespace limpet::log
