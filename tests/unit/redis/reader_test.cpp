#include "backend/redis/reader.h"

#include <gtest/gtest.h>

#include <string>

#include "backend/redis/request.h"
#include "backend/redis/settings.h"
#include "tests/unit/redis/replies.h"

namespace limpet::redis {
namespace {

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Request, IsAnArrayOfTexts) {
  const std::string_view words[] = {"SET", "a\r\nb", ""};
  std::string out;
  append_command(out, words);
  EXPECT_EQ(out, "*3\r\n$3\r\nSET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n");
  EXPECT_GE(command_size(words), out.size());
}

TEST(Replies, AreViewed) {
  const Read status("+OK\r\n"), error("-ERR no\r\n"), number(":-42\r\n"), text("$5\r\na\r\nb\0\r\n"),
      nil("$-1\r\n"), empty("*0\r\n"), none("*-1\r\n"), digits("$2\r\n17\r\n");
  EXPECT_EQ(status.reply.text(), "OK");
  EXPECT_FALSE(status.reply.integer());
  EXPECT_TRUE(error.reply.is_error());
  EXPECT_EQ(error.reply.text(), "ERR no");
  EXPECT_FALSE(error.reply.integer());
  EXPECT_EQ(number.reply.integer(), -42);
  EXPECT_EQ(number.reply.text(), "");
  EXPECT_TRUE(nil.reply.is_nil());
  EXPECT_TRUE(none.reply.is_nil());
  EXPECT_TRUE(empty.reply.is_array());
  EXPECT_EQ(empty.reply.size(), 0u);
  EXPECT_EQ(digits.reply.integer(), 17);
  EXPECT_TRUE(Reply()[3][4].is_nil());
}

TEST(Replies, OfArraysReachInAnyDepthThatIsThere) {
  const Read read("*3\r\n:1\r\n*2\r\n$1\r\na\r\n*1\r\n+b\r\n$-1\r\n");
  EXPECT_EQ(read.reply.size(), 3u);
  EXPECT_EQ(read.reply[0].integer(), 1);
  EXPECT_EQ(read.reply[1][0].text(), "a");
  EXPECT_EQ(read.reply[1][1][0].text(), "b");
  EXPECT_TRUE(read.reply[2].is_nil());
  EXPECT_TRUE(read.reply[3].is_nil());
}

TEST(Reader, AnySplitGivesTheSame) {
  const std::string bytes = "*2\r\n$3\r\nabc\r\n:5\r\n+OK\r\n$12\r\n" + std::string(12, 'x') + "\r\n-ERR\r\n";
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    Reader reader(1 << 20);
    std::string seen;
    for (std::size_t at = 0; at < bytes.size(); at += cut) {
      reader.feed(std::span(bytes).subspan(at, std::min(cut, bytes.size() - at)));
      while (const auto reply = reader.next()) {
        seen += std::string(reply->text()) + std::string((*reply)[0].text()) + ";";
      }
    }
    EXPECT_EQ(seen, "abc;OK;xxxxxxxxxxxx;ERR;") << cut;
    EXPECT_EQ(reader.broken(), "");
  }
}

TEST(Reader, WhatIsNoRespBreaksIt) {
  for (const std::string_view bytes :
       {"HTTP/1.1 400 Bad Request\r\n", "\r\n", "$x\r\n", "$-2\r\n", "*x\r\n", "*-2\r\n", "*4294967296\r\n",
        ":x\r\n", "$99999999999999999999\r\n", ":9223372036854775808\r\n"}) {
    Read read(bytes);
    EXPECT_NE(read.reader.broken(), "") << bytes;
    read.reader.feed(std::string_view("+OK\r\n"));
    EXPECT_FALSE(read.reader.next()) << "for good";
  }
}

TEST(Reader, WhatIsTooLargeIsRefusedBeforeItIsThere) {
  for (const std::string& bytes :
       {std::string("$2000000\r\n"), std::string("$9223372036854775807\r\n"), std::string("*2147483647\r\n"),
        std::string("*200000\r\n"), repeated("*30000\r\n", 6), "+" + std::string(70'000, 'x'),
        "$" + std::string(40, '1'), "*" + std::string(70'000, '1'), std::string("$5000000000\r\nabc")}) {
    EXPECT_NE(Read(bytes).reader.broken(), "") << bytes.substr(0, 40);
  }
}

TEST(Reader, ManySmallOnesOfOneArrayAreTooLargeTogether) {
  const std::string bytes = "*100000\r\n" + repeated(":1\r\n", 100'000);
  EXPECT_NE(Read(bytes).reader.broken(), "");
  EXPECT_EQ(Read(bytes, 16 << 20).reader.broken(), "");
}

TEST(Reader, DepthIsBounded) {
  EXPECT_EQ(Read("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n").reply.size(), 1u);
  EXPECT_NE(Read(repeated("*1\r\n", 5'000)).reader.broken(), "");
}

TEST(Reader, ATextThatIsNotThereYetIsWaitedFor) {
  Read read("$1000\r\nabc");
  EXPECT_EQ(read.reader.broken(), "");
  read.reader.feed(std::string(997, 'x') + "\r\n");
  EXPECT_EQ(read.reader.next()->text().size(), 1'000u);
}

// Texts of which one fills just over half of a small block.
TEST(Arena, HoldsWithinItsBoundWhateverTheSizeOfItsPieces) {
  constexpr std::size_t kMost = 32 << 20;
  for (const std::size_t size : {16u, 5'000u, 8'200u, 16'400u, 100'000u, 600'000u}) {
    Arena arena(kMost);
    std::size_t taken = 0;
    while (arena.take(size) != nullptr) taken += size;
    EXPECT_LE(arena.held(), kMost) << size;
    EXPECT_GT(taken, kMost - kMost / 6) << size;
    arena.reset();
    EXPECT_LE(arena.held(), 16u * 1024) << size;
    EXPECT_NE(arena.take(size), nullptr) << size;
  }
}

// What Settings say of their bound: all of a stream whose entries carry 12 KiB each.
TEST(Reader, TheLongestAnswerThatIsAskedForFits) {
  const auto text = [](const std::string& it) {
    return "$" + std::to_string(it.size()) + "\r\n" + it + "\r\n";
  };
  std::string entry = "*2\r\n" + text("1700000000000-0") + "*8\r\n";
  for (const char* each : {"uid", "0123456789abcdef", "nsp", "/", "type", "3", "data"}) entry += text(each);
  entry += text(std::string(12 * 1024, 'x'));
  Reader reader(Settings().max_reply_bytes);
  reader.feed(std::string_view("*10000\r\n"));
  for (int i = 0; i < 9'999; ++i) {
    reader.feed(entry);
    ASSERT_FALSE(reader.next());
  }
  reader.feed(entry);
  const auto reply = reader.next();
  ASSERT_TRUE(reply) << reader.broken();
  EXPECT_EQ((*reply)[9'999][1][7].text().size(), 12u * 1024);
}

TEST(Reader, MemoryIsGivenBackBetweenReplies) {
  Reader reader(1 << 20);
  const std::string bytes = "$900000\r\n" + std::string(900'000, 'x') + "\r\n";
  for (int i = 0; i < 100; ++i) {
    reader.feed(bytes);
    ASSERT_TRUE(reader.next());
  }
  EXPECT_EQ(reader.broken(), "");
}

}  // namespace
}  // namespace limpet::redis
