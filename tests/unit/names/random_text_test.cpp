#include "backend/names/random_text.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace limpet::names {
namespace {

TEST(RandomText, HasEveryDigitOfTheAlphabetAndNoOther) {
  RandomText random;
  std::set<char> seen;
  std::set<std::string> texts;
  for (int i = 0; i < 5000; ++i) {  // more than is fetched at once
    std::array<char, 20> text;
    random.write(text);
    seen.insert(text.begin(), text.end());
    texts.emplace(text.begin(), text.end());
  }
  EXPECT_EQ(seen, std::set<char>(kBase64Url.begin(), kBase64Url.end()));
  EXPECT_EQ(texts.size(), 5000u);
}

TEST(RandomText, HexHasSixteenDigitsAndIsNeverTheSame) {
  RandomText random;
  std::set<char> seen;
  std::set<std::string> texts;
  for (int i = 0; i < 1000; ++i) {
    std::array<char, 16> text;
    random.write_hex(text);
    seen.insert(text.begin(), text.end());
    texts.emplace(text.begin(), text.end());
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  EXPECT_EQ(seen, std::set<char>(kHex.begin(), kHex.end()));
  EXPECT_EQ(texts.size(), 1000u);
}

}  // namespace
}  // namespace limpet::names
