#include "backend/cluster/stream_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/cluster/javascript_text.h"

namespace limpet::cluster {
namespace {

using testing::ElementsAre;

// As Node.js computes them: for (const c of units) h = (h * 31 + c) | 0.
TEST(StreamNames, TheHashIsJavaScripts) {
  EXPECT_EQ(hash_of("/"), 47);
  EXPECT_EQ(hash_of("/admin"), 1438238848);
  EXPECT_EQ(hash_of("/a-long-namespace"), 961320037);
  EXPECT_EQ(hash_of("/\xc3\xa9\xf0\x9f\x98\x80"), 3396989);  // an e with an acute accent, and a face
}

TEST(StreamNames, ATextIsAsLongAsItsUnits) {
  EXPECT_EQ(utf16_size(""), 0U);
  EXPECT_EQ(utf16_size("abc"), 3U);
  EXPECT_EQ(utf16_size("\xc3\xa9\xe2\x82\xac"), 2U);
  EXPECT_EQ(utf16_size("\xf0\x9f\x98\x80"), 2U);
  EXPECT_EQ(utf16_size("\xff\xc3"), 2U);
  EXPECT_EQ(utf16_size("a\xed\xa0\x80\xc3\xa9"), 5U);  // half a character is three bytes of none
}

TEST(StreamNames, OneStreamHasNoNumber) {
  EXPECT_EQ(stream_of("/chat", "socket.io", 1), "socket.io");
  EXPECT_THAT(streams_that_are_read("socket.io", 1), ElementsAre("socket.io"));
}

TEST(StreamNames, SeveralAreChosenByTheHashWithItsSign) {
  EXPECT_THAT(streams_that_are_read("s", 3), ElementsAre("s-0", "s-1", "s-2"));
  EXPECT_EQ(stream_of("/", "s", 3), "s-2");
  EXPECT_EQ(stream_of("/admin", "s", 3), "s-1");
  EXPECT_EQ(stream_of("/news", "s", 3), "s-0");
  EXPECT_EQ(stream_of("/dashboard", "s", 3), "s--1");
  EXPECT_EQ(stream_of("/a-long-name-\xc3\xa9\xf0\x9f\x98\x80", "s", 3), "s--2");
}

}  // namespace
}  // namespace limpet::cluster
