#include "backend/socketio/packet.h"

#include <gtest/gtest.h>

#include <string>

namespace limpet::socketio {
namespace {

// What a text is read as, written again; "refused" if it is.
std::string read(std::string_view text, const Bounds& bounds = {}) {
  const auto header = read_header(text, bounds);
  if (!header) return "refused";
  PacketWriter writer;
  std::string out(1, static_cast<char>('0' + static_cast<int>(header->type)));
  if (header->attachments != 0) out += std::to_string(header->attachments) + '-';
  EventData event;
  std::string room;
  boost::json::value data;
  switch (header->type) {
    case Type::event:
    case Type::binary_event:
      if (!read_event(*header, bounds, room, event)) return "refused";
      writer.event(header->nsp, header->id, event.name, event.name_is_number, event.args);
      break;
    case Type::ack:
    case Type::binary_ack:
      if (!read_ack(*header, bounds, event.args)) return "refused";
      writer.ack(header->nsp, header->id.value_or(0), event.args);
      break;
    default:
      if (!read_payload(*header, bounds, data)) return "refused";
      writer.plain(header->type, header->nsp, header->payload);
  }
  return std::string(writer.text());
}

TEST(Packet, GoesRoundTheWayThatItCame) {
  for (const char* text :
       {"0", "0{\"token\":\"123\"}", "0/admin,", "0/admin,{\"a\":1}", "1", "1/admin,", "2[\"a\"]",
        "2[\"a\",1,\"2\",{\"3\":[true]}]", "2456[\"a\"]", "20[\"a\"]", "2/admin,7[\"a\",null]", "3456[]",
        "3/admin,0[1]", "2[5,\"x\"]", "4{\"message\":\"no\"}", "4\"no\"", "2[\"error\"]", "2[\"\"]"})
    EXPECT_EQ(read(text), text);
}

TEST(Packet, OtherFormsMeanTheSame) {
  EXPECT_EQ(read("0/admin"), "0/admin,");
  EXPECT_EQ(read("2007[\"a\"]"), "27[\"a\"]");
  EXPECT_EQ(read("2 [ \"a\" , 1 ] "), "2[\"a\",1]");
  EXPECT_EQ(read("2[1.50]"), "2[1.5]");
  EXPECT_EQ(read("2[-0]"), "2[0]");
  EXPECT_EQ(read("2"), "2[\"\"]");  // an event without a name
  EXPECT_EQ(read("3"), "30[]");
}

TEST(Packet, WhatTheParserRefusesIsRefused) {
  for (const char* text : {"",
                           "7",
                           "9",
                           "a",
                           "abc",
                           "-",
                           "0null",
                           "0[]",
                           "0\"x\"",
                           "0{",
                           "1{}",
                           "1[]",
                           "1 ",
                           "2{}",
                           "2[]",
                           "2[null]",
                           "2[true]",
                           "2[[]]",
                           "2[{}]",
                           "2[\"a\"",
                           "2[\"a\"]x",
                           "2abc[\"a\"]",
                           "2\"a\"",
                           "2null",
                           "2[\"connect\"]",
                           "2[\"connect_error\"]",
                           "2[\"disconnect\"]",
                           "2[\"disconnecting\"]",
                           "2[\"newListener\"]",
                           "2[\"removeListener\"]",
                           "2[\"a\",]",
                           "3{}",
                           "31{}",
                           "4[]",
                           "2[\"a\" 1]",
                           "5[\"a\"]",
                           "5-[\"a\"]",
                           "50-[\"a\"]",
                           "511-[\"a\"]",
                           "5x-[\"a\"]",
                           "51[\"a\"]",
                           "5-1-[\"a\"]",
                           "51.5-[\"a\"]",
                           "5",
                           "51"})
    EXPECT_EQ(read(text), "refused") << text;
  EXPECT_EQ(read("2[1e999]"), "refused");                               // an infinite name
  EXPECT_EQ(read("2" + std::string(400, '9') + "[\"a\"]"), "refused");  // an infinite id
}

TEST(Packet, NumbersAreDigits) {
  for (const char* text : {"51e0-[\"a\"]", "50x1-[\"a\"]", "5 1-[\"a\"]", "5+1-[\"a\"]"})
    EXPECT_FALSE(read_header(text, {}));
  EXPECT_EQ(read_header("510-/x,3[]", {})->attachments, 10U);
  EXPECT_FALSE(read_header("53-[]", {.depth = 64, .attachments = 2}));
  EXPECT_EQ(read_header("29007199254740991[\"a\"]", {})->id, 9007199254740991U);
  EXPECT_FALSE(read_header("29007199254740992[\"a\"]", {}));
}

TEST(Packet, NamesWithEscapesAreRead) {
  const std::string text = R"(2["a\nb\u00e9",1])";
  EventData event;
  std::string room;
  ASSERT_TRUE(read_event(*read_header(text, {}), {}, room, event));
  EXPECT_EQ(event.name, "a\nbé");
  EXPECT_EQ(event.args[0], 1);
  EXPECT_TRUE(event.args[1].is_null());  // there is none
}

TEST(Packet, BytesAreNumberedInTheOrderOfTheirWriting) {
  Args args;
  const auto second = args.attach("second");
  args.add({{"deep", {second, 1}}});
  args.add(Binary{"first"});
  args.add(second);
  PacketWriter writer;
  writer.event("/", std::nullopt, "a", false, args);
  EXPECT_EQ(writer.text(),
            R"(53-["a",{"deep":[{"_placeholder":true,"num":0},1]},{"_placeholder":true,"num":1},)"
            R"({"_placeholder":true,"num":2}])");
  ASSERT_EQ(writer.attachments().size(), 3U);
  EXPECT_EQ(*writer.attachments()[0], "second");
  EXPECT_EQ(*writer.attachments()[1], "first");
  EXPECT_EQ(*writer.attachments()[2], "second");
  writer.ack("/x", 7, args);
  EXPECT_EQ(writer.text().substr(0, 8), "63-/x,7[");
}

TEST(Packet, WhatOnlyLooksLikeBytesIsData) {
  PacketWriter writer;
  writer.event("/", std::nullopt, "a", false, Args{{{"_placeholder", true}, {"num", 0}}});
  EXPECT_EQ(writer.text(), R"(2["a",{"_placeholder":true,"num":0}])");
  EXPECT_TRUE(writer.attachments().empty());

  Args args{{{"_placeholder", true}, {"num", 5}}};  // no such bytes: whoever received it would be thrown out
  args.add(Binary{"x"});
  writer.event("/", std::nullopt, "a", false, args);
  EXPECT_EQ(writer.text(), R"(51-["a",null,{"_placeholder":true,"num":0}])");

  Args unused{1};
  (void)unused.attach("x");
  writer.event("/", std::nullopt, "a", false, unused);
  EXPECT_EQ(writer.text(), R"(2["a",1])");
}

TEST(Packet, PlaceholdersFitOrNot) {
  const auto fits = [](boost::json::value value, std::size_t binaries) {
    return placeholders_fit({std::move(value)}, binaries, 10);
  };
  const auto placeholder = [](boost::json::value num) {
    return boost::json::value{{"_placeholder", true}, {"num", num}};
  };
  EXPECT_TRUE(fits(placeholder(0), 1));
  EXPECT_TRUE(fits({{"a", {1, placeholder(1)}}}, 2));
  EXPECT_FALSE(fits(placeholder(0.5), 1));
  EXPECT_FALSE(fits(placeholder(1), 1));
  EXPECT_FALSE(fits(placeholder(-1), 1));
  EXPECT_FALSE(fits(placeholder("0"), 1));
  EXPECT_FALSE(fits({{"_placeholder", true}}, 1));
  EXPECT_TRUE(fits({{"_placeholder", false}, {"num", 9}}, 1));
  EXPECT_TRUE(fits({{"_placeholder", 1}, {"num", 9}}, 1));
}

TEST(Packet, PlaceholdersAreCounted) {
  const boost::json::value one{{"_placeholder", true}, {"num", 0}};
  EXPECT_TRUE(placeholders_fit({one, {one, {{"a", one}}}}, 1, 3));
  EXPECT_FALSE(placeholders_fit({one, {one, {{"a", one}}}}, 1, 2));
}

TEST(Packet, AnOffsetIsTheLastArgument) {
  PacketWriter writer;
  writer.event("/a", std::nullopt, "e", false, Args{1}, "OsK1Zo3");
  EXPECT_EQ(writer.text(), R"(2/a,["e",1,"OsK1Zo3"])");
  writer.event("/a", std::nullopt, "e", false, Args{}, "");
  EXPECT_EQ(writer.text(), R"(2/a,["e",""])");
}

}  // namespace
}  // namespace limpet::socketio
