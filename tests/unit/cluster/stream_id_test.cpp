#include "backend/cluster/stream_id.h"

#include <gtest/gtest.h>

namespace limpet::cluster {
namespace {

TEST(StreamId, IsReadAndWritten) {
  for (const char* text : {"0-0", "1732678000000-12", "18446744073709551615-18446744073709551615"}) {
    const auto id = StreamId::read(text);
    ASSERT_TRUE(id) << text;
    EXPECT_EQ(id->text(), text);
  }
}

TEST(StreamId, WhatIsNoneIsRefused) {
  for (const char* text : {"", "-", "1", "1-", "-1", "1-2-3", "+1-2", "1-+2", " 1-2", "1-2 ", "a-b", "$",
                           "1-*", "18446744073709551616-0", "0-18446744073709551616"}) {
    EXPECT_FALSE(StreamId::read(text)) << text;
  }
}

TEST(StreamId, TheNextOneIsTheLeastThatIsGreater) {
  EXPECT_EQ((StreamId{5, 1}).next(), (StreamId{5, 2}));
  EXPECT_EQ((StreamId{5, ~0ull}).next(), (StreamId{6, 0}));
  EXPECT_LT((StreamId{5, 9}), (StreamId{6, 0}));
}

}  // namespace
}  // namespace limpet::cluster
