// What children write, as lines.
#include "proxy/bundle/lines.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace limpet::bundle {
namespace {

using testing::ElementsAre;

class LinesTest : public testing::Test {
 protected:
  void feed(std::string_view bytes) {
    lines.feed(bytes, [this](std::string_view line) { seen.emplace_back(line); });
  }
  void finish() {
    lines.finish([this](std::string_view line) { seen.emplace_back(line); });
  }
  Lines lines;
  std::vector<std::string> seen;
};

TEST_F(LinesTest, AreWholeHoweverTheyCome) {
  feed("on");
  feed("e\ntwo\r\n\nth");
  EXPECT_THAT(seen, ElementsAre("one", "two", ""));
  finish();
  EXPECT_THAT(seen, ElementsAre("one", "two", "", "th"));
}

TEST_F(LinesTest, NothingIsNoLastLine) {
  feed("one\n");
  finish();
  EXPECT_THAT(seen, ElementsAre("one"));
}

TEST_F(LinesTest, AreBounded) {
  for (int i = 0; i < 100; ++i) feed(std::string(1000, 'x'));
  EXPECT_TRUE(seen.empty());
  feed("\nnext\n");
  EXPECT_THAT(seen, ElementsAre(std::string(Lines::kMost, 'x') + "...", "next"));
}

TEST_F(LinesTest, OneThatJustFitsIsNotCut) {
  feed(std::string(Lines::kMost, 'x') + "\n");
  EXPECT_THAT(seen, ElementsAre(std::string(Lines::kMost, 'x')));
}

TEST(Printable, LeavesTextAndTabs) {
  EXPECT_EQ(printable("a\tb \xc3\xa4 \xe2\x82\xac"), "a\tb \xc3\xa4 \xe2\x82\xac");
}

TEST(Printable, ShowsControlsOfBothKinds) {
  EXPECT_EQ(printable(std::string("a\0b\x7f\x08", 5)), "a\\x00b\\x7f\\x08");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");
}

TEST(Printable, KeepsColoursAndEndsThem) {
  EXPECT_EQ(printable("\x1b[1;31mred\x1b[0m"), "\x1b[1;31mred\x1b[0m\x1b[0m");
}

TEST(Printable, OtherSequencesAreShown) {
  EXPECT_EQ(printable("\x1b[2Jx"), "\\x1b[2Jx");
  EXPECT_EQ(printable("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  EXPECT_EQ(printable("\x1b["), "\\x1b[");
}

TEST(Printable, MarksOfDirectionAndBrokenTextAreShown) {
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\xe2\\x80\\xae"
            "b");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
}

TEST(Tagged, BeginsWithTheChildsName) {
  EXPECT_EQ(tagged("n1", "a | b"), "n1 | a | b\n");
}

TEST(Tagged, AnObjectKeepsItsMembers) {
  EXPECT_EQ(tagged_json("n1", R"({"a":1,"b":"}"})"), "{\"from\":\"n1\",\"a\":1,\"b\":\"}\"}\n");
  EXPECT_EQ(tagged_json("n1", "{}"), "{\"from\":\"n1\"}\n");
}

TEST(Tagged, WhatIsNoObjectIsALine) {
  for (const char* line : {"text", "{text", "{\"a\":1", "[1]", "1", "", "{} {}"}) {
    const auto value = boost::json::parse(tagged_json("n1", line));
    EXPECT_EQ(value.at("line").as_string(), line);
    EXPECT_EQ(value.at("from").as_string(), "n1");
  }
}

TEST(Tagged, AnObjectThatSaysWhereItIsFromIsALine) {
  for (const char* line : {R"({"from":"redis","level":"error"})", R"({"level":"error","fr\u006fm":"redis"})",
                           R"({"a":{},"from":null})"}) {
    const auto value = boost::json::parse(tagged_json("n1", line));
    EXPECT_EQ(value.at("from").as_string(), "n1");
    EXPECT_EQ(value.at("line").as_string(), line);
  }
  EXPECT_EQ(tagged_json("n1", R"({"a":{"from":"b"}})"), "{\"from\":\"n1\",\"a\":{\"from\":\"b\"}}\n");
}

TEST(Tagged, EveryLineIsAnObject) {
  for (int byte = 1; byte < 256; ++byte) {
    const std::string line = printable(std::string("x") + static_cast<char>(byte) + "\"\\");
    EXPECT_TRUE(boost::json::parse(tagged_json("n1", line)).is_object()) << byte;
  }
}

}  // namespace
}  // namespace limpet::bundle
