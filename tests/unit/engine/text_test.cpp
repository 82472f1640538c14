#include "backend/engine/text.h"

#include <gtest/gtest.h>

namespace limpet::engine {
namespace {

std::string lossy(std::string_view text) {
  std::string room;
  return std::string(as_utf8(text, room));
}

std::string form(std::string_view text) {
  std::string room;
  return std::string(form_decoded(text, room));
}

TEST(Text, LengthsAreThoseOfJavaScript) {
  EXPECT_EQ(utf16_length(""), 0u);
  EXPECT_EQ(utf16_length("abc"), 3u);
  EXPECT_EQ(utf16_length("4€"), 2u);
  EXPECT_EQ(utf16_length("𝄞"), 2u);
}

TEST(Text, UnitsAreCutAtCharacters) {
  EXPECT_EQ(bytes_of_units("4€x", 2), 4u);
  EXPECT_EQ(bytes_of_units("𝄞x", 2), 4u);
  EXPECT_EQ(bytes_of_units("𝄞x", 1), std::string_view::npos);
  EXPECT_EQ(bytes_of_units("ab", 3), std::string_view::npos);
  EXPECT_EQ(bytes_of_units("ab", 0), 0u);
}

TEST(Text, ValidTextIsNotCopied) {
  const std::string_view text = "aé€𝄞\xEF\xBF\xBF\xF4\x8F\xBF\xBF";
  std::string room;
  EXPECT_EQ(as_utf8(text, room).data(), text.data());
  EXPECT_TRUE(valid_utf8(text));
}

TEST(Text, WhatIsNoUtf8BecomesReplacements) {
  EXPECT_EQ(lossy("a\xFF"
                  "b"),
            "a\uFFFDb");
  EXPECT_EQ(lossy("\xC3("), "\uFFFD(");
  EXPECT_EQ(lossy("\xE2\x82"), "\uFFFD");  // the beginning of a character counts as one
  EXPECT_EQ(lossy("\xE2\x82x"), "\uFFFDx");
  EXPECT_EQ(lossy("\xF0\x9D\x84"), "\uFFFD");
  EXPECT_EQ(lossy("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(lossy("\xC0\x80"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(lossy("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(lossy("\x80"), "\uFFFD");
}

TEST(Text, FormDecoding) {
  EXPECT_EQ(form("abc"), "abc");
  EXPECT_EQ(form("a+b%20c"), "a b c");
  EXPECT_EQ(form("%e2%82%AC"), "€");
  EXPECT_EQ(form("%"), "%");
  EXPECT_EQ(form("%4"), "%4");
  EXPECT_EQ(form("%zz%41"), "%zzA");
}

}  // namespace
}  // namespace limpet::engine
