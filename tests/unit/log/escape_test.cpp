#include "proxy/log/escape.h"

#include <gtest/gtest.h>

namespace limpet::log {
namespace {

std::string as(Style style, std::string_view text) {
  return escaped(text, style, 4096);
}

TEST(Escape, PlainTextStaysAsItIs) {
  for (const Style style : {Style::message, Style::bare, Style::quoted, Style::json}) {
    EXPECT_EQ(as(style, "/socket.io/?a=b&c=%20~!"), "/socket.io/?a=b&c=%20~!");
    EXPECT_EQ(as(style,
                 "gr\xc3\xbc\xc3\x9f"
                 "e\xe2\x82\xac\xf0\x9f\x90\x9a"),
              "gr\xc3\xbc\xc3\x9f"
              "e\xe2\x82\xac\xf0\x9f\x90\x9a");
    EXPECT_EQ(as(style, ""), "");
  }
}

TEST(Escape, ControlsHaveEachStylesForm) {
  using namespace std::string_view_literals;
  EXPECT_EQ(as(Style::message, "a\n\r\t\0\x1b\x7f"sv), "a\\n\\r\\t\\x00\\x1b\\x7f");
  EXPECT_EQ(as(Style::bare, "a\n\x1b"), "a\\x0a\\x1b");
  EXPECT_EQ(as(Style::quoted, "a\n\x1b"), "a\\x0a\\x1b");
  EXPECT_EQ(as(Style::json, "a\n\x1b\x7f"), "a\\u000a\\u001b\\u007f");
}

TEST(Escape, QuotesSpacesAndBackslashes) {
  EXPECT_EQ(as(Style::message, R"(a "b" \)"), R"(a "b" \\)");
  EXPECT_EQ(as(Style::bare, R"(a "b" \)"), R"(a\x20\"b\"\x20\\)");
  EXPECT_EQ(as(Style::quoted, R"(a "b" \)"), R"(a \"b\" \\)");
  EXPECT_EQ(as(Style::json, R"(a "b" \)"), R"(a \"b\" \\)");
}

TEST(Escape, WhatIsNotUtf8IsEscapedByteByByte) {
  EXPECT_EQ(as(Style::quoted, "\xff"), "\\xff");
  EXPECT_EQ(as(Style::quoted, "\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(as(Style::quoted, "\xe0\x80\xaf"), "\\xe0\\x80\\xaf") << "overlong";
  EXPECT_EQ(as(Style::quoted, "\xf0\x80\x80\xaf"), "\\xf0\\x80\\x80\\xaf") << "overlong";
  EXPECT_EQ(as(Style::quoted, "\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(as(Style::quoted, "\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "above U+10FFFF";
  EXPECT_EQ(as(Style::quoted, "\xe2\x82"), "\\xe2\\x82") << "cut off";
  EXPECT_EQ(as(Style::quoted,
               "\xe2\x82"
               "a"),
            "\\xe2\\x82"
            "a");
  EXPECT_EQ(as(Style::json, "\xff"), "\\u00ff");
}

TEST(Escape, CharactersThatHideOrTurnTextAreEscaped) {
  EXPECT_EQ(as(Style::quoted, "\xc2\x85"), "\\xc2\\x85") << "a C1 control that ends a line";
  EXPECT_EQ(as(Style::quoted, "\xe2\x80\xa8"), "\\xe2\\x80\\xa8") << "U+2028, a line separator";
  EXPECT_EQ(as(Style::quoted, "\xe2\x80\xae"), "\\xe2\\x80\\xae") << "U+202E, right to left";
  EXPECT_EQ(as(Style::bare, "\xc2\xa0\xe3\x80\x80"), "\\xc2\\xa0\\xe3\\x80\\x80") << "spaces";
}

TEST(Escape, NothingIsCutInItsMiddle) {
  const std::string text = "ab\n\xe2\x82\xac";
  EXPECT_EQ(escaped(text, Style::quoted, 9), "ab\\x0a\xe2\x82\xac");
  for (std::size_t most = 3; most < 9; ++most) {
    const std::string cut = escaped(text, Style::quoted, most);
    EXPECT_TRUE(cut == "..." || cut == "a..." || cut == "ab...") << cut;
    EXPECT_LE(cut.size(), most);
  }
}

}  // namespace
}  // namespace limpet::log
