#include "backend/codec/args.h"

#include <gtest/gtest.h>

#include "backend/codec/json_writer.h"

namespace limpet::codec {
namespace {

std::string json(const Args& args, const boost::json::value& value) {
  std::string text;
  write_json_with_buffers(text, value, args);
  return text;
}

TEST(Args, AValueIsAdoptedWithItsBytes) {
  Args from;
  (void)from.attach("unused");
  from.add({{"a", {1, from.attach("A")}}, {"b", from.attach("B")}});
  Args to;
  to.add(to.attach("other"));
  to.add(to.adopt(from, from[0]));
  EXPECT_EQ(json(to, to[1]), R"({"a":[1,{"type":"Buffer","data":[65]}],"b":{"type":"Buffer","data":[66]}})");
  EXPECT_EQ(*to.binary(to[0]), "other");
  EXPECT_EQ(to.binaries().size(), 3U);  // what is not used stays behind
  EXPECT_EQ(from.binaries().size(), 3U);
}

TEST(Args, AttachmentsAreWhatAPacketHas) {
  Args args;
  EXPECT_EQ(args.attachments(), 0U);
  const boost::json::value a = args.attach("A");
  (void)args.attach("unused");
  args.add({{"a", {1, a, {{"again", a}}}}, {"b", args.attach("B")}});
  args.add({{"_placeholder", true}, {"num", 99}, {"in nothing", a}});
  std::vector<const std::string*> written;
  std::string text;
  for (const auto& value : args.values()) write_json(text, value, args, written);
  EXPECT_EQ(args.attachments(), 3U);
  EXPECT_EQ(written.size(), 3U);
}

TEST(Args, WithoutBytesAPlaceholderIsData) {
  const boost::json::value look = {{"_placeholder", true}, {"num", 0}};
  Args from;
  from.add(look);
  EXPECT_FALSE(from.dangles(from[0]));
  Args to;
  to.add(to.adopt(from, from[0]));
  EXPECT_EQ(to[0], look);
  EXPECT_TRUE(to.binaries().empty());
}

TEST(Args, WhatLooksLikeBytesButIsNotDangles) {
  Args args;
  (void)args.attach("x");
  EXPECT_TRUE(args.dangles({{"_placeholder", true}, {"num", 1}}));
  EXPECT_TRUE(args.dangles({{"_placeholder", true}, {"num", -1}}));
  EXPECT_TRUE(args.dangles({{"_placeholder", true}, {"num", "0"}}));
  EXPECT_TRUE(args.dangles({{"_placeholder", true}}));
  EXPECT_FALSE(args.dangles({{"_placeholder", true}, {"num", 0}}));
  EXPECT_FALSE(args.dangles({{"_placeholder", 1}, {"num", 1}}));
  EXPECT_FALSE(args.dangles(boost::json::value("text")));
  std::string text;
  write_json_with_buffers(text, {{"_placeholder", true}, {"num", 1}}, args);
  EXPECT_EQ(text, "null");
}

TEST(Args, BytesChangeHands) {
  Args from;
  from.add(Binary{"one"});
  boost::json::array values = std::move(from.values());
  const Args to(std::move(values), from.take_binaries());
  EXPECT_EQ(*to.binary(to[0]), "one");
  EXPECT_TRUE(from.binaries().empty());
}

}  // namespace
}  // namespace limpet::codec
