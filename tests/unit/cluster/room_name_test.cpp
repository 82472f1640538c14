#include "backend/cluster/room_name.h"

#include <gtest/gtest.h>

#include <cmath>

namespace limpet::cluster {
namespace {

std::string json(std::string_view room) {
  TextWriter out;
  write_room(out, room);
  return std::string(out.bytes());
}
std::string bytes(std::string_view room) {
  codec::msgpack::Writer out;
  write_room(out, room);
  return std::string(out.bytes());
}

TEST(RoomName, ANumberIsNotItsText) {
  EXPECT_EQ(room_name(42),
            "\xff"
            "42");
  EXPECT_EQ(room_name("42"), "42");
  EXPECT_EQ(room_name(-1.5),
            "\xff"
            "-1.5");
  EXPECT_EQ(room_name(1e21),
            "\xff"
            "1e+21");
  EXPECT_EQ(room_name(""), "");
}

TEST(RoomName, NumbersKeepTheirTypeOnTheWire) {
  EXPECT_EQ(json(room_name(42)), "42");
  EXPECT_EQ(json(room_name("42")), R"("42")");
  EXPECT_EQ(bytes(room_name(42)), "\x2a");
  EXPECT_EQ(bytes(room_name(0.5)), std::string("\xcb\x3f\xe0\0\0\0\0\0\0", 9));
  EXPECT_EQ(bytes(room_name("42")),
            "\xa2"
            "42");
  EXPECT_EQ(room_value(room_name(42)), 42);
  EXPECT_EQ(room_value(room_name("42")), "42");
  EXPECT_EQ(room_in_channel(room_name(42)), "42");
  EXPECT_EQ(room_in_channel("42"), "42");
}

TEST(RoomName, WhatIsNoRoomStaysOneThatNobodyIsIn) {
  EXPECT_EQ(json(room_name(nullptr)), "null");
  EXPECT_EQ(json(room_name(true)), "true");
  EXPECT_EQ(json(room_name(boost::json::array{"a"})), "null");
  EXPECT_EQ(json(room_name(boost::json::object{{"a", 1}})), "null");
  EXPECT_NE(room_name(boost::json::array{"a"}), "");
  EXPECT_EQ(json(room_name(std::nan(""))), "null");
  EXPECT_EQ(json("\xff"
                 "no json"),
            "null");
  EXPECT_EQ(bytes("\xff"), "\xc0");
}

TEST(RoomName, AListIsAListOrMissing) {
  const boost::json::value list = {"a", 1, nullptr};
  EXPECT_EQ(room_names(&list), (std::vector<std::string>{"a",
                                                         "\xff"
                                                         "1",
                                                         "\xff"
                                                         "null"}));
  EXPECT_EQ(room_names(nullptr), std::vector<std::string>());
  const boost::json::value null, text = "abc";
  EXPECT_EQ(room_names(&null), std::vector<std::string>());
  EXPECT_EQ(room_names(&text), std::nullopt);
}

}  // namespace
}  // namespace limpet::cluster
