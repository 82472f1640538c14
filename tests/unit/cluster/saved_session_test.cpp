#include "backend/cluster/saved_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/codec/base64.h"
#include "backend/codec/msgpack.h"

namespace limpet::cluster {
namespace {

using testing::ElementsAre;

std::string packed(const boost::json::value& value) {
  codec::msgpack::Writer writer;
  writer.value(value, {});
  std::string text;
  codec::append_base64(text, writer.bytes());
  return text;
}

TEST(SavedSession, ComesBackAsItWas) {
  const adapter::Session session{"sid",
                                 "pid",
                                 {"sid", "room",
                                  "\xff"
                                  "42"},
                                 {{"user", {1, "x", nullptr}}}};
  const auto read = read_session(write_session(session, ""));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->session.sid, "sid");
  EXPECT_EQ(read->session.pid, "pid");
  EXPECT_THAT(read->session.rooms, ElementsAre("sid", "room",
                                               "\xff"
                                               "42"));
  EXPECT_EQ(read->session.data, session.data);
  EXPECT_EQ(read->node, "");
}

TEST(SavedSession, OneWhoseSocketLivesSaysWhere) {
  const auto read = read_session(write_session({"sid", "pid", {}, nullptr}, "0123456789abcdef"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->node, "0123456789abcdef");
}

// @msgpack/msgpack's encode() of {sid, pid, rooms: [sid, "room1", 42], data: {name: "x", n: 1.5}}.
TEST(SavedSession, NodeJsIsRead) {
  const auto read = read_session(
      "hKNzaWStc2lkMTIzNDU2Nzg5MKNwaWStcGlkMTIzNDU2Nzg5MKVyb29tc5Otc2lkMTIzNDU2Nzg5MKVyb29tMSqkZGF0YYKkbmFt"
      "ZaF4oW7LP/gAAAAAAAA=");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->session.sid, "sid1234567890");
  EXPECT_THAT(read->session.rooms, ElementsAre("sid1234567890", "room1",
                                               "\xff"
                                               "42"));
  EXPECT_EQ(read->session.data, (boost::json::value{{"name", "x"}, {"n", 1.5}}));
}

TEST(SavedSession, WhatIsNoneIsRefused) {
  EXPECT_FALSE(read_session(""));
  EXPECT_FALSE(read_session("!!"));
  EXPECT_FALSE(read_session(packed(nullptr)));
  EXPECT_FALSE(read_session(packed({1, 2})));
  EXPECT_FALSE(read_session(packed({{"sid", "s"}})));
  EXPECT_FALSE(read_session(packed({{"sid", ""}, {"pid", "p"}})));
  EXPECT_FALSE(read_session(packed({{"sid", 5}, {"pid", "p"}})));
  EXPECT_FALSE(read_session(packed({{"sid", std::string(65, 'x')}, {"pid", "p"}})));
  EXPECT_FALSE(read_session(packed({{"sid", "s"}, {"pid", "p"}, {"rooms", "all"}})));
  EXPECT_FALSE(read_session(packed({{"sid", "s"}, {"pid", "p"}, {"rooms", {std::string(1025, 'r')}}})));
  EXPECT_TRUE(read_session(packed({{"sid", "s"}, {"pid", "p"}})));
}

TEST(SavedSession, WhatCanBeNoRoomIsLeftOut) {
  const auto read =
      read_session(packed({{"sid", "s"}, {"pid", "p"}, {"rooms", {boost::json::array{"a"}, "room", 42}}}));
  ASSERT_TRUE(read);
  const auto again = read_session(write_session(read->session, ""));
  ASSERT_TRUE(again);
  EXPECT_THAT(read->session.rooms, ElementsAre("room",
                                               "\xff"
                                               "42"));
  EXPECT_EQ(again->session.rooms, read->session.rooms);
}

TEST(SavedSession, APidIsOfOurAlphabet) {
  EXPECT_TRUE(is_pid("AZaz09-_AZaz09-_AZaz"));
  EXPECT_FALSE(is_pid(""));
  EXPECT_FALSE(is_pid(std::string(65, 'a')));
  EXPECT_FALSE(is_pid("a:b"));
  EXPECT_FALSE(is_pid("a\r\n"));
}

}  // namespace
}  // namespace limpet::cluster
