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

}  // namespace
}  // namespace limpet::names
