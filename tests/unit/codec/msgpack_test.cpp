#include "backend/codec/msgpack.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "backend/codec/json_reader.h"
#include "backend/codec/json_writer.h"
#include "tests/unit/codec/hex.h"
#include "tests/unit/codec/msgpack_vectors.h"

namespace limpet::codec::msgpack {
namespace {

std::string json(const Args& args) {
  std::string text;
  write_json_with_buffers(text, args[0], args);
  return text;
}
// What is read, as JSON; "refused".
std::string reading(std::string_view bytes, const Bounds& bounds = {}) {
  const auto args = read(bytes, bounds);
  return args ? json(*args) : "refused";
}
std::string writing(const Args& args) {
  Writer writer;
  writer.value(args[0], args);
  return std::string(writer.bytes());
}
template <class Write>
std::string written(Write&& write) {
  Writer writer;
  write(writer);
  return hex(writer.bytes());
}
std::string repeated(std::string_view bytes, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += bytes;
  return text;
}

TEST(Msgpack, WhatPeersWriteIsReadAndWrittenAsNotepackDoes) {
  for (const Vector& vector : kVectors) {
    const std::string bytes = unhex(vector.notepack);
    EXPECT_EQ(reading(bytes), vector.json) << vector.notepack;
    EXPECT_EQ(hex(writing(read(bytes).value_or(Args()))), vector.notepack) << vector.json;
    if (!vector.msgpack.empty()) {
      EXPECT_EQ(reading(unhex(vector.msgpack)), vector.json) << vector.msgpack;
    }
  }
}

TEST(Msgpack, DatesBecomeTheirText) {
  for (const Vector& vector : kDates) {
    EXPECT_EQ(reading(unhex(vector.notepack)), vector.json) << vector.notepack;
    if (!vector.msgpack.empty()) {
      EXPECT_EQ(reading(unhex(vector.msgpack)), vector.json) << vector.msgpack;
    }
  }
  // Further than a Date goes; nanoseconds that round towards 1970; lengths that no timestamp has
  EXPECT_EQ(reading(unhex("c70cff00000000007fffffffffffff")), "null");
  EXPECT_EQ(reading(unhex("c70cff0007a120ffffffffffffffff")), R"("1969-12-31T23:59:59.001Z")");
  EXPECT_EQ(reading(unhex("d5ff0000")), "null");
  EXPECT_EQ(reading(unhex("c705ff0000000000")), "null");
  EXPECT_EQ(reading(unhex("c700ff")), "null");
}

TEST(Msgpack, FormsThatNobodyShortensAreRead) {
  for (const Foreign& foreign : kForeign) EXPECT_EQ(reading(unhex(foreign.hex)), foreign.json) << foreign.hex;
}

TEST(Msgpack, OtherExtensionsAreNull) {
  for (const char* bytes :
       {"d405aa", "d505aaaa", "d605aaaaaaaa", "d705aaaaaaaaaaaaaaaa", "d805aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "c70105aa", "c8000105aa", "c90000000105aa", "c70005", "d40000", "d5000000",
        "d8fe00000000000000000000000000000000"})
    EXPECT_EQ(reading(unhex(bytes)), "null") << bytes;
  EXPECT_EQ(reading(unhex("93d405aa01d6ff00000000")), R"([null,1,"1970-01-01T00:00:00.000Z"])");
}

TEST(Msgpack, WhatNotepack2WroteIsRead) {
  EXPECT_EQ(reading(unhex("c70300010203")), R"({"type":"Buffer","data":[1,2,3]})");
  EXPECT_EQ(reading(unhex("c708000102030405060708")), R"({"type":"Buffer","data":[1,2,3,4,5,6,7,8]})");
  EXPECT_EQ(reading(unhex("d700000000000000000a")), R"("1970-01-01T00:00:00.010Z")");
  EXPECT_EQ(reading(unhex("d700ffffffffffffffff")), R"("1969-12-31T23:59:59.999Z")");
}

TEST(Msgpack, KeysThatAreNoTextBecomeTheirText) {
  EXPECT_EQ(reading(unhex("8101c3")), R"({"1":true})");
  EXPECT_EQ(reading(unhex("81cb3ff8000000000000c3")), R"({"1.5":true})");
  EXPECT_EQ(reading(unhex("82c0c3c2c3")), R"({"null":true,"false":true})");
  EXPECT_EQ(reading(unhex("81c402616201")), R"({"ab":1})");
  EXPECT_EQ(reading(unhex("81920102c3")), R"({"1,2":true})");
  EXPECT_EQ(reading(unhex("81d6ff00000000c3")), R"({"1970-01-01T00:00:00.000Z":true})");
  EXPECT_EQ(reading(unhex("8193c0910a8101c3c3")), R"({",10,[object Object]":true})");
  // Bytes inside of a key are nobody's; those of the value are.
  EXPECT_EQ(reading(unhex("8191c40101c40102")), R"({"[object Object]":{"type":"Buffer","data":[2]}})");
}

// What a fuzzer found: each level doubled the text of the one within it.
TEST(Msgpack, KeysWithinKeysDoNotGrow) {
  EXPECT_EQ(reading(repeated("\x81", 60) + "\x01" + repeated("\xc3", 60)), R"({"[object Object]":true})");
  std::string text;
  for (int i = 0; i < 30; ++i) text += "\x81\x91";
  EXPECT_EQ(reading(text + "\xa1\"" + std::string(30, '\xc3')), R"({"[object Object]":true})");
}

TEST(Msgpack, OfDuplicateKeysTheLastCounts) {
  EXPECT_EQ(reading(unhex("83a16101a16202a16103")), R"({"a":3,"b":2})");
  EXPECT_EQ(reading(unhex("8201a161a13102")), R"({"1":2})");
}

TEST(Msgpack, TextIsUtf8BothWays) {
  EXPECT_EQ(reading(unhex("a3616263")), R"("abc")");
  EXPECT_EQ(reading(unhex("a361ff62")),
            "\"a\xef\xbf\xbd"
            "b\"");
  EXPECT_EQ(reading(unhex("81a1ff01")), "{\"\xef\xbf\xbd\":1}");
  EXPECT_EQ(written([](Writer& w) {
              w.text(
                  "a\xff"
                  "b");
            }),
            "a561efbfbd62");
  EXPECT_EQ(written([](Writer& w) { w.text("\xed\xa0\x80"); }), "a3efbfbd");  // a lone surrogate
  EXPECT_EQ(written([](Writer& w) { w.text("0123456789\xc3\xa9"); }), "ac30313233343536373839c3a9");
  // 31 bytes that become 33: the length is that of what is written
  EXPECT_EQ(written([](Writer& w) { w.text(std::string(30, 'x') + "\xff"); }).substr(0, 4), "d921");
}

TEST(Msgpack, EachSizeHasItsForm) {
  struct Case {
    std::size_t size;
    std::string text, bytes, array, map;  // heads
  };
  const Case cases[] = {
      {0, "a0", "c400", "90", "80"},
      {15, "af", "c40f", "9f", "8f"},
      {16, "b0", "c410", "dc0010", "de0010"},
      {31, "bf", "c41f", "dc001f", "de001f"},
      {32, "d920", "c420", "dc0020", "de0020"},
      {255, "d9ff", "c4ff", "dc00ff", "de00ff"},
      {256, "da0100", "c50100", "dc0100", "de0100"},
      {65'535, "daffff", "c5ffff", "dcffff", "deffff"},
      {65'536, "db00010000", "c600010000", "dd00010000", "df00010000"},
  };
  for (const Case& c : cases) {
    const std::string body(c.size, 'x');
    EXPECT_EQ(written([&](Writer& w) { w.text(body); }), c.text + hex(body));
    EXPECT_EQ(written([&](Writer& w) { w.binary(body); }), c.bytes + hex(body));
    EXPECT_EQ(written([&](Writer& w) { w.array(c.size); }), c.array);
    EXPECT_EQ(written([&](Writer& w) { w.map(c.size); }), c.map);

    EXPECT_EQ(read(unhex(c.text) + body).value()[0].as_string(), body);
    const Args bytes = read(unhex(c.bytes) + body).value();
    ASSERT_NE(bytes.binary(bytes[0]), nullptr);
    EXPECT_EQ(*bytes.binary(bytes[0]), body);
    EXPECT_EQ(read(unhex(c.array) + std::string(c.size, '\1')).value()[0].as_array().size(), c.size);
    std::string pairs;
    for (std::size_t i = 0; i < c.size; ++i)
      pairs += '\xcd' + std::string{char(i >> 8 & 0xff), char(i & 0xff)} + '\1';
    EXPECT_EQ(read(unhex(c.map) + pairs).value()[0].as_object().size(),
              std::min<std::size_t>(c.size, 65'536));
  }
}

TEST(Msgpack, IntegersBeyond64BitsAreFloats) {
  EXPECT_EQ(written([](Writer& w) { w.number(18446744073709551616.0); }), "cb43f0000000000000");
  EXPECT_EQ(written([](Writer& w) { w.number(1e21); }), "cb444b1ae4d6e2ef50");
  EXPECT_EQ(written([](Writer& w) { w.number(-18446744073709551616.0); }), "cbc3f0000000000000");
  EXPECT_EQ(written([](Writer& w) { w.number(18446744073709549568.0); }), "cffffffffffffff800");
  EXPECT_EQ(written([](Writer& w) { w.number(-9223372036854775808.0); }), "d38000000000000000");
  EXPECT_EQ(written([](Writer& w) { w.number(-std::nan("7")); }), "cb7ff8000000000000");
  EXPECT_EQ(written([](Writer& w) { w.integer(INT64_MIN); }), "d38000000000000000");
  EXPECT_EQ(written([](Writer& w) { w.integer(INT64_MAX); }), "cf7fffffffffffffff");
  EXPECT_EQ(written([](Writer& w) { w.value(boost::json::value(UINT64_MAX), {}); }), "cfffffffffffffffff");
}

TEST(Msgpack, BytesAreFoundWhereverTheyStand) {
  Args args;
  args.add({{"a", args.attach("one")}, {"b", {1, args.attach("two")}}});
  const std::string bytes = writing(args);
  EXPECT_EQ(hex(bytes), "82a161c4036f6e65a1629201c40374776f");
  const Args back = read(bytes).value();
  EXPECT_EQ(*back.binary(back[0].at("a")), "one");
  EXPECT_EQ(*back.binary(back[0].at("b").at(1)), "two");
  // What only looks like it: data where there are no bytes, nothing where there are
  const auto look = JsonReader(R"({"_placeholder":true,"num":7})", 4).read().value();
  EXPECT_EQ(hex(writing(Args(boost::json::array{look}))), "82ac5f706c616365686f6c646572c3a36e756d07");
  EXPECT_EQ(hex(writing(Args(boost::json::array{look}, {"x"}))), "c0");
}

TEST(Msgpack, AnythingCutIsRefused) {
  for (const Vector& vector : kVectors) {
    const std::string bytes = unhex(vector.notepack);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(read(std::string_view(bytes).substr(0, size))) << vector.notepack << " at " << size;
    EXPECT_FALSE(read(bytes + "\xc0")) << vector.notepack << " and more";
  }
  for (const Foreign& foreign : kForeign) {
    const std::string bytes = unhex(foreign.hex);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(read(std::string_view(bytes).substr(0, size))) << foreign.hex << " at " << size;
  }
}

TEST(Msgpack, TheByteThatMeansNothingIsRefused) {
  EXPECT_FALSE(read("\xc1"));
  EXPECT_FALSE(read(unhex("92c0c1")));
  EXPECT_FALSE(read(unhex("81c101")));
}

TEST(Msgpack, LengthsThatCannotBeAreRefusedBeforeAnythingIsKept) {
  for (const char* bytes : {"dbffffffff", "c6ffffffff", "c9ffffffff05", "ddffffffff", "dfffffffff", "deffff",
                            "dcffff", "df8000000001", "dd0000000301", "81dbffffffff"})
    EXPECT_FALSE(read(unhex(bytes))) << bytes;
  EXPECT_FALSE(read(unhex("dd00ffffff") + std::string(1'000'001, '\xc0')));
}

TEST(Msgpack, DepthAndElementsAreBounded) {
  EXPECT_EQ(reading(repeated("\x91", 3) + "\x01", {.depth = 3}), "[[[1]]]");
  EXPECT_EQ(reading(repeated("\x91", 4) + "\x01", {.depth = 3}), "refused");
  EXPECT_EQ(reading(repeated("\x81\xa1x", 4) + "\x01", {.depth = 3}), "refused");
  EXPECT_EQ(reading(unhex("81") + repeated("\x91", 3) + "\x01\x01", {.depth = 3}),
            "refused");  // inside of a key
  EXPECT_EQ(reading(unhex("c4017f"), {.depth = 0}), R"({"type":"Buffer","data":[127]})");
  EXPECT_FALSE(read(repeated("\x91", 1'000'000) + "\x01"));
  EXPECT_EQ(reading(unhex("930102920304"), {.elements = 5}), "[1,2,[3,4]]");
  EXPECT_EQ(reading(unhex("930102920304"), {.elements = 4}), "refused");
  EXPECT_EQ(reading(unhex("82a16101a16202"), {.elements = 2}), R"({"a":1,"b":2})");
  EXPECT_EQ(reading(unhex("82a16101a16202"), {.elements = 1}), "refused");
  EXPECT_EQ(read(unhex("dd000f4240") + std::string(1'000'000, '\x01')).value()[0].as_array().size(),
            1'000'000U);
}

// What stands for bytes takes much more memory than two bytes of a message.
TEST(Msgpack, ByteStringsAreBoundedAsWell) {
  const auto many = [](const char* count, std::size_t size) {
    return unhex(count) + repeated(unhex("c400"), size);
  };
  EXPECT_TRUE(read(many("dd00010000", 65'536)));
  EXPECT_FALSE(read(many("dd00030000", 196'608)));
}

// One byte string and a thousand maps that name it would be a thousand byte strings.
TEST(Msgpack, WhatOnlyLooksLikeBytesIsRefusedBesideBytes) {
  const std::string look = "82ac5f706c616365686f6c646572c3a36e756d00";
  EXPECT_TRUE(read(unhex("91" + look)));
  EXPECT_FALSE(read(unhex("92c40178" + look)));
  EXPECT_FALSE(read(unhex("92" + look + "c40178")));
  EXPECT_FALSE(
      read(unhex("92c401788291ac5f706c616365686f6c646572c3a36e756d00")));  // by a key that becomes it
  EXPECT_TRUE(read(unhex("92c4017881ac5f706c616365686f6c646572c2")));      // false
}

TEST(Msgpack, AWriterIsUsedAgain) {
  Writer writer;
  writer.text("first");
  writer.clear();
  writer.array(3);
  writer.nil();
  writer.boolean(true);
  writer.integer(-5);
  EXPECT_EQ(hex(writer.bytes()), "93c0c3fb");
}

}  // namespace
}  // namespace limpet::codec::msgpack
