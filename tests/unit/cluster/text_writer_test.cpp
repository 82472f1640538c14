#include "backend/cluster/text_writer.h"

#include <gtest/gtest.h>

namespace limpet::cluster {
namespace {

TEST(TextWriter, ContainersCloseWhenTheyAreFull) {
  TextWriter writer;
  writer.map(3);
  writer.text("a");
  writer.array(2);
  writer.integer(-1);
  writer.map(0);
  writer.text("b");
  writer.array(0);
  writer.text("c\"");
  writer.map(1);
  writer.text("d");
  writer.nil();
  EXPECT_EQ(writer.bytes(), R"({"a":[-1,{}],"b":[],"c\"":{"d":null}})");
}

TEST(TextWriter, ValuesAreAsJavaScriptHasThem) {
  TextWriter writer;
  writer.array(5);
  writer.boolean(true);
  writer.number(1.5);
  writer.number(2);
  writer.text("\xc3\xa9\n");
  writer.value({{"x", {1, nullptr}}}, {});
  EXPECT_EQ(writer.bytes(), "[true,1.5,2,\"\xc3\xa9\\n\",{\"x\":[1,null]}]");
}

TEST(TextWriter, BytesAreABuffers) {
  TextWriter writer;
  codec::Args args;
  args.add({{"in", args.attach(std::string("\0\xff", 2))}});
  writer.value(args[0], args);
  EXPECT_EQ(writer.bytes(), R"({"in":{"type":"Buffer","data":[0,255]}})");
}

TEST(TextWriter, ClearForgetsWhatWasOpen) {
  TextWriter writer;
  writer.array(2);
  writer.nil();
  writer.clear();
  writer.text("x");
  EXPECT_EQ(writer.bytes(), "\"x\"");
}

}  // namespace
}  // namespace limpet::cluster
