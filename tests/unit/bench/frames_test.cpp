#include "tests/bench/load/frames.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace limpet::bench {
namespace {

std::string frame(std::uint8_t first_byte, const std::string& payload, bool masked) {
  char head[kMostFrameHead];
  return std::string(head, write_frame_head(head, first_byte, payload.size(), masked)) + payload;
}

// What a reader makes of bytes that come in pieces: per frame its payload, with '|' behind it.
std::string read_in_pieces(std::string bytes, std::size_t piece) {
  FrameReader reader;
  std::string seen;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::span<char> in(bytes.data() + at, std::min(piece, bytes.size() - at));
    FrameReader::Slice slice;
    while (reader.next(in, slice)) {
      EXPECT_EQ(slice.payload.empty(), slice.length == 0);
      seen.append(slice.payload.data(), slice.payload.size());
      if (slice.last) seen += '|';
    }
    EXPECT_TRUE(in.empty());
  }
  return seen;
}

TEST(Frames, EveryLengthFormIsReadAsItWasWritten) {
  for (const std::size_t size : {0, 1, 125, 126, 65535, 65536}) {
    for (const bool masked : {false, true}) {
      const std::string payload(size, 'x');
      const std::string bytes =
          frame(kFinal | kBinary, payload, masked) + frame(kFinal | kText, "end", masked);
      EXPECT_EQ(read_in_pieces(bytes, bytes.size()), payload + "|end|") << size;
      EXPECT_EQ(read_in_pieces(bytes, 1), payload + "|end|") << size;
      EXPECT_EQ(read_in_pieces(bytes, 7), payload + "|end|") << size;
    }
  }
}

TEST(Frames, AMaskIsTakenOffAcrossPieces) {
  std::string bytes = frame(kFinal | kText, "Hello", true);
  const std::string mask = "\x37\xfa\x21\x3d";  // RFC 6455, 5.7
  bytes.replace(2, 4, mask);
  bytes.replace(6, 5, "\x7f\x9f\x4d\x51\x58");
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    EXPECT_EQ(read_in_pieces(bytes, piece), "Hello|") << piece;
  }
}

TEST(Frames, OnlyTheFirstSliceIsFirstAndOnlyTheLastIsLast) {
  std::string bytes = frame(kFinal | kBinary, "abcd", false);
  FrameReader reader;
  FrameReader::Slice slice;
  std::span<char> head(bytes.data(), 2);
  EXPECT_FALSE(reader.next(head, slice));
  std::span<char> one(bytes.data() + 2, 1);
  ASSERT_TRUE(reader.next(one, slice));
  EXPECT_TRUE(slice.first);
  EXPECT_FALSE(slice.last);
  std::span<char> rest(bytes.data() + 3, 3);
  ASSERT_TRUE(reader.next(rest, slice));
  EXPECT_FALSE(slice.first);
  EXPECT_TRUE(slice.last);
}

}  // namespace
}  // namespace limpet::bench
