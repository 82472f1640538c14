// What answers are made of: JSONP, codings, CORS, refusals, the open packet.
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "backend/engine/compression.h"
#include "backend/engine/cors.h"
#include "backend/engine/jsonp.h"
#include "backend/engine/open_packet.h"
#include "backend/engine/refusal.h"

namespace limpet::engine {
namespace {

std::string jsonp(std::string_view index, std::string_view payload) {
  std::string out;
  append_jsonp(out, index, payload);
  return out;
}

std::string inflated(std::string_view bytes) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 32);  // either head
  std::string out(100'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(Jsonp, IsAScript) {
  EXPECT_EQ(jsonp("7", "4a"), "___eio[7](\"4a\");");
  EXPECT_EQ(jsonp("", "\"\\\n\x1e\x7f\u2028\u2029€"), "___eio[](\"\\\"\\\\\\n\\u001e\x7f\\u2028\\u2029€\");");
  EXPECT_EQ(jsonp("0", std::string("\b\t\f\r\0", 5)), "___eio[0](\"\\b\\t\\f\\r\\u0000\");");
  EXPECT_EQ(jsonp("0", "\xE2\x80"), "___eio[0](\"\xE2\x80\");");  // the beginning of a line separator alone
}

TEST(Jsonp, FormsAreUndone) {
  EXPECT_EQ(payload_of_form("d=4hello"), "4hello");
  EXPECT_EQ(payload_of_form("x=1&d=4a+b%0A&y"), "4a b\n");
  EXPECT_EQ(payload_of_form("%64=4"), "4");
  EXPECT_EQ(payload_of_form("d=4a%5Cnb"), "4a\nb");
  EXPECT_EQ(payload_of_form("d=4a%5C%5Cnb"), "4a\\nb");
  EXPECT_EQ(payload_of_form("d=%5C%5C%5Cn"), "\\\\n");
  EXPECT_EQ(payload_of_form("d"), "");
  EXPECT_EQ(payload_of_form("d=4a&d=4b"), std::nullopt);
  EXPECT_EQ(payload_of_form("4a"), std::nullopt);
  EXPECT_EQ(payload_of_form(""), std::nullopt);
}

// Each line was tried on Node.js with `accepts`.
TEST(Coding, AsNodeChooses) {
  const std::pair<const char*, Coding> kCases[] = {
      {"", Coding::identity},
      {"gzip", Coding::gzip},
      {"deflate", Coding::deflate},
      {"deflate, gzip", Coding::deflate},
      {"gzip, deflate, br", Coding::gzip},
      {"gzip;q=0.5, deflate", Coding::deflate},
      {"*", Coding::gzip},
      {"gzip;q=0, *", Coding::deflate},
      {"identity", Coding::identity},
      {"br", Coding::identity},
      {"*;q=0", Coding::identity},
      {"GZIP", Coding::gzip},
      {"gzip ; q=0.3 , deflate;q=0.2", Coding::gzip},
      {"identity;q=0.5, gzip;q=0.4", Coding::gzip},
      {"gzip;q=abc", Coding::identity},
      {"gzip;q=", Coding::identity},
      {"gzip;q=nan", Coding::identity},
      {"gzip;q=-nan", Coding::identity},
      {"*;q=nan, gzip", Coding::gzip},
      {"gzip;q=nan, deflate", Coding::deflate},
      {"gzip;q=inf", Coding::identity},
      {"gzip;q=0x1", Coding::identity},
      {"gzip;q=-0.5, deflate", Coding::deflate},
      {"gzip;q=1e-1, deflate;q=0.5", Coding::deflate},
      {"gzip;q=.5, deflate;q=.6", Coding::deflate},
      {"gzip;q= 0.5, deflate;q=0.7", Coding::deflate},
      {"gzip;x=1", Coding::gzip},
      {"x gzip", Coding::identity},
      {"gzip;q=1.5,deflate", Coding::gzip},
      {",,;,gzip", Coding::gzip},
  };
  for (const auto& [field, coding] : kCases) EXPECT_EQ(choose_coding(field), coding) << field;
}

TEST(Coding, RoundTrip) {
  const std::string body(50'000, 'x');
  for (const Coding coding : {Coding::gzip, Coding::deflate, Coding::deflate, Coding::gzip}) {
    std::string out = "before";
    ASSERT_TRUE(compress(out, coding, body));
    EXPECT_LT(out.size(), 1000u);
    EXPECT_EQ(inflated(std::string_view(out).substr(6)), body);
  }
}

TEST(CorsFields, OfOrdinaryAnswers) {
  const auto fields = [](const Cors& cors, std::optional<std::string_view> origin) {
    std::string out;
    append_cors_fields(out, cors, origin);
    return out;
  };
  EXPECT_EQ(fields({true, {"*"}, false}, "http://a"), "Access-Control-Allow-Origin: *\r\n");
  const Cors list{true, {"http://a", "http://b"}, true};
  EXPECT_EQ(
      fields(list, "http://b"),
      "Access-Control-Allow-Origin: http://b\r\nVary: Origin\r\nAccess-Control-Allow-Credentials: true\r\n");
  EXPECT_EQ(fields(list, "http://c"), "Vary: Origin\r\nAccess-Control-Allow-Credentials: true\r\n");
  EXPECT_EQ(fields(list, std::nullopt), "Vary: Origin\r\nAccess-Control-Allow-Credentials: true\r\n");
}

TEST(CorsFields, OfPreflights) {
  std::string out;
  append_preflight_fields(out, {true, {"http://a"}, false}, "http://a", "x-a, x-b");
  EXPECT_EQ(out,
            "Access-Control-Allow-Origin: http://a\r\nVary: Origin, Access-Control-Request-Headers\r\n"
            "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n"
            "Access-Control-Allow-Headers: x-a, x-b\r\n");
  out.clear();
  append_preflight_fields(out, {true, {"*"}, false}, std::nullopt, "");
  EXPECT_EQ(out,
            "Access-Control-Allow-Origin: *\r\nVary: Access-Control-Request-Headers\r\n"
            "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n");
}

TEST(CorsGuard, LetsWebSocketsOfTheListAndOfItsOwnPagesIn) {
  const Cors list{true, {"http://a", "https://b:8443"}, false, true};
  for (const char* origin : {"http://a", "https://b:8443", "http://node:3000", "https://NODE:3000"})
    EXPECT_TRUE(may_open_websocket(list, origin, "node:3000")) << origin;
  EXPECT_TRUE(may_open_websocket(list, std::nullopt, "node:3000"));
  for (const char* origin :
       {"http://c", "https://a", "http://a:81", "http://node", "null", "", "http://", "node:3000"})
    EXPECT_FALSE(may_open_websocket(list, origin, "node:3000")) << origin;
  EXPECT_TRUE(may_open_websocket({true, {"*"}, false, true}, "http://c", "a"));
  EXPECT_TRUE(may_open_websocket({false, {}, false, true}, "http://c", "a"));
  EXPECT_TRUE(may_open_websocket({true, {"http://a"}, false, false}, "http://c", "a"));  // as engine.io
}

TEST(RefusalTable, IsThatOfEngineIo) {
  EXPECT_EQ(status_of(Refusal::sid_unknown), 400);
  EXPECT_EQ(json_of(Refusal::sid_unknown), R"({"code":1,"message":"Session ID unknown"})");
  EXPECT_EQ(json_of(Refusal::revision_unsupported), R"({"code":5,"message":"Unsupported protocol version"})");
  EXPECT_EQ(status_of(Refusal::forbidden), 403);
  EXPECT_EQ(status_of(Refusal::full), 503);
  EXPECT_EQ(
      upgrade_refusal(Refusal::forbidden),
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-type: text/html\r\nContent-Length: 9\r\n\r\n"
      "Forbidden");
  EXPECT_TRUE(upgrade_refusal(403, "Forbidden").starts_with("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_TRUE(upgrade_refusal(Refusal::shutting_down).starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
}

TEST(OpenPacket, HasItsKeysInOrder) {
  Options options;
  EXPECT_EQ(
      open_packet("abc", options, true),
      R"(0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
  EXPECT_NE(open_packet("abc", options, false).find(R"("upgrades":[],)"), std::string::npos);
  options.allow_upgrades = false;
  EXPECT_NE(open_packet("abc", options, true).find(R"("upgrades":[],)"), std::string::npos);
}

}  // namespace
}  // namespace limpet::engine
