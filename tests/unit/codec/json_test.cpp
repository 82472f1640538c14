#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "backend/codec/json_reader.h"
#include "backend/codec/json_writer.h"

namespace limpet::codec {
namespace {

// What JavaScript's JSON.stringify(JSON.parse(text)) gives; "refused" where parsing throws.
std::string round_trip(std::string_view text, std::size_t depth = 64) {
  const auto value = JsonReader(text, depth).read();
  if (!value) return "refused";
  std::string out;
  write_json(out, *value);
  return out;
}
std::string number(double value) {
  std::string out;
  write_number(out, value);
  return out;
}

TEST(Json, NumbersAreWrittenAsJavaScriptWritesThem) {
  EXPECT_EQ(number(1.0), "1");
  EXPECT_EQ(number(-0.0), "0");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(123456789012345680000.0), "123456789012345680000");
  EXPECT_EQ(number(1e21), "1e+21");
  EXPECT_EQ(number(1.5e300), "1.5e+300");
  EXPECT_EQ(number(1e-6), "0.000001");
  EXPECT_EQ(number(1e-7), "1e-7");
  EXPECT_EQ(number(-1.25e-9), "-1.25e-9");
  EXPECT_EQ(number(5e-324), "5e-324");
  EXPECT_EQ(number(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(number(123.456), "123.456");
  EXPECT_EQ(number(9007199254740993.0), "9007199254740992");
  EXPECT_EQ(number(std::nan("")), "null");
  EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), "null");
}

TEST(Json, NumbersAreReadAsJavaScriptReadsThem) {
  EXPECT_EQ(round_trip("[1.0,-0,-0.0,1e2,1E+2,100e-2]"), "[1,0,0,100,100,1]");
  EXPECT_EQ(round_trip("12345678901234567890"), "12345678901234567000");
  EXPECT_EQ(round_trip("9007199254740993"), "9007199254740992");
  EXPECT_EQ(round_trip("0.30000000000000004"), "0.30000000000000004");
  EXPECT_EQ(round_trip("1.7976931348623157e308"), "1.7976931348623157e+308");
  EXPECT_EQ(round_trip("[1e400,-1e400,1e-400,-1e-400,0e999999999999999999999]"), "[null,null,0,0,0]");
  EXPECT_EQ(round_trip("1" + std::string(400, '0')), "null");
  EXPECT_EQ(round_trip("0." + std::string(400, '0') + "1"), "0");
  EXPECT_EQ(round_trip("0." + std::string(400, '0') + "1e401"), "1");
  EXPECT_TRUE(JsonReader("1e2", 1).read()->is_int64());
}

TEST(Json, WhatIsNoNumberIsRefused) {
  for (const char* text : {"01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "Infinity", "-a", "--1"})
    EXPECT_EQ(round_trip(text), "refused") << text;
}

TEST(Json, WholeTextsOnly) {
  for (const char* text : {"",    " ",     "[",       "]",        "[1",         "[1,",   "[,1]",  "[1,]",
                           "{",   "{}}",   "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "[1]x",
                           "tru", "nulll", "'a'",     "\"",       "\"\\\"",     "[1 2]", "\"\n\""})
    EXPECT_EQ(round_trip(text), "refused") << text;
  EXPECT_EQ(round_trip(" \t\r\n[ 1 , { \"a\" : true } , null ] "), R"([1,{"a":true},null])");
}

TEST(Json, EscapesAreWrittenAsJavaScriptWritesThem) {
  EXPECT_EQ(round_trip(R"("\"\\\/\b\f\n\r\t\u0041\u0000\u001f\u007f")"),
            "\"\\\"\\\\/\\b\\f\\n\\r\\tA\\u0000\\u001f\x7f\"");
  EXPECT_EQ(round_trip(R"("\u00e9\u20ac\u2028")"), "\"é€\xe2\x80\xa8\"");
  EXPECT_EQ(round_trip("\"\\x41\""), "refused");
  EXPECT_EQ(round_trip("\"\\u12\""), "refused");
  EXPECT_EQ(round_trip("\"\\u12g4\""), "refused");
  EXPECT_EQ(round_trip("\"\\u+123\""), "refused");
}

TEST(Json, SurrogatesArePairsOrStayEscaped) {
  EXPECT_EQ(round_trip(R"("\ud83d\ude00")"), "\"\xf0\x9f\x98\x80\"");
  EXPECT_EQ(round_trip(R"("\ud83d")"), R"("\ud83d")");
  EXPECT_EQ(round_trip(R"("a\uDE00b")"), R"("a\ude00b")");
  EXPECT_EQ(round_trip(R"("\ud83d\ud83d\ude00")"), "\"\\ud83d\xf0\x9f\x98\x80\"");
  EXPECT_EQ(round_trip(R"("\ud83d\u0041")"), R"("\ud83dA")");
  EXPECT_EQ(round_trip(R"({"\ud800":1})"), R"({"\ud800":1})");
}

TEST(Json, BytesThatAreNoUtf8BecomeReplacements) {
  EXPECT_EQ(round_trip("\"a\xff"
                       "b\""),
            "\"a\xef\xbf\xbd"
            "b\"");
  EXPECT_EQ(round_trip("\"\xed\xa0\x80\""), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // a raw surrogate
  EXPECT_EQ(round_trip("\"\xc3\""), "\"\xef\xbf\xbd\"");
  std::string out;
  write_string(out, "\xe2\x82");
  EXPECT_EQ(out, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(Json, MembersKeepTheirOrderButIndexesComeFirst) {
  EXPECT_EQ(round_trip(R"({"b":1,"a":2})"), R"({"b":1,"a":2})");
  EXPECT_EQ(round_trip(R"({"b":1,"10":2,"9":3,"01":4,"a":5,"4294967295":6,"4294967294":7})"),
            R"({"9":3,"10":2,"4294967294":7,"b":1,"01":4,"a":5,"4294967295":6})");
  EXPECT_EQ(round_trip(R"({"a":1,"b":2,"a":3})"), R"({"a":3,"b":2})");
}

TEST(Json, OddCharactersAreFoundWhereverTheyStand) {
  for (std::size_t length = 0; length < 20; ++length) {
    for (std::size_t place = 0; place <= length; ++place) {
      for (const std::string_view odd :
           {R"(\")", R"(\\)", R"(\n)", R"(\u0001)", "\xc3\xa9", "\x7f", "~", "!"}) {
        const std::string text =
            '"' + std::string(place, 'a') + std::string(odd) + std::string(length - place, 'b') + '"';
        EXPECT_EQ(round_trip(text), text);
      }
      EXPECT_EQ(round_trip('"' + std::string(place, 'a') + '\x1f' + std::string(length - place, 'b') + '"'),
                "refused");
    }
  }
}

TEST(Json, DepthIsBounded) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(round_trip(nested(3), 3), nested(3));
  EXPECT_EQ(round_trip(nested(4), 3), "refused");
  EXPECT_EQ(round_trip(nested(100'000)), "refused");
  EXPECT_EQ(round_trip("[[],[],[]]", 2), "[[],[],[]]");
  EXPECT_EQ(round_trip(R"({"a":{"b":[]}})", 2), "refused");
}

TEST(Json, A64BitIntegerKeepsItsDigits) {
  std::string out;
  write_json(out, boost::json::value{{"a", std::numeric_limits<std::uint64_t>::max()},
                                     {"b", std::int64_t{-9007199254740993}}});
  EXPECT_EQ(out, R"({"a":18446744073709551615,"b":-9007199254740993})");
}

}  // namespace
}  // namespace limpet::codec
