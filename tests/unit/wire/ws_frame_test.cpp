#include "proxy/wire/ws_frame.h"

#include <gtest/gtest.h>

#include <string>

namespace limpet::wire {
namespace {

using namespace std::string_literals;

HeadResult read(std::string_view bytes, FrameHead& head) {
  return read_frame_head(bytes, head);
}
HeadStep step(std::string_view bytes) {
  FrameHead head;
  return read_frame_head(bytes, head).step;
}

TEST(FrameHead, ShortLengthIsInTheSecondByte) {
  FrameHead head;
  const HeadResult result = read("\x81\x05hello"s, head);
  EXPECT_EQ(result.step, HeadStep::whole);
  EXPECT_EQ(result.size, 2);
  EXPECT_EQ(head.length, 5u);
  EXPECT_EQ(head.opcode, Opcode::text);
  EXPECT_TRUE(head.fin);
  EXPECT_FALSE(head.masked);
  EXPECT_EQ(head.rsv, 0);
}

TEST(FrameHead, LongerLengthsAreBigEndian) {
  FrameHead head;
  EXPECT_EQ(read("\x02\x7e\x01\x00"s, head).size, 4);
  EXPECT_EQ(head.length, 256u);
  EXPECT_FALSE(head.fin);
  EXPECT_EQ(read("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s, head).size, 10);
  EXPECT_EQ(head.length, 65536u);
  EXPECT_EQ(read("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"s, head).step, HeadStep::whole);
  EXPECT_EQ(head.length, 0x7fffffffffffffffu);
}

TEST(FrameHead, MaskedOneIsWholeWithItsKey) {
  FrameHead head;
  EXPECT_EQ(read("\x81\x81\x01\x02\x03"s, head).step, HeadStep::more);
  EXPECT_EQ(read("\x81\x81\x01\x02\x03"s, head).size, 6);
  EXPECT_EQ(read("\x81\x81\x01\x02\x03\x04"s, head).step, HeadStep::whole);
  EXPECT_TRUE(head.masked);
  char key[4];
  std::memcpy(key, &head.key, 4);
  EXPECT_EQ(std::string_view(key, 4), "\x01\x02\x03\x04");
}

TEST(FrameHead, EveryCutOfItIsMore) {
  for (const std::string& whole : {"\x81\x85\x01\x02\x03\x04"s, "\x82\xfe\x01\x00\x01\x02\x03\x04"s,
                                   "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00\x01\x02\x03\x04"s}) {
    EXPECT_EQ(step(whole), HeadStep::whole);
    for (std::size_t cut = 0; cut < whole.size(); ++cut)
      EXPECT_EQ(step(whole.substr(0, cut)), HeadStep::more) << cut;
  }
}

TEST(FrameHead, ReservedOpcodesAreRefused) {
  for (int opcode = 0; opcode < 16; ++opcode) {
    const bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
    const std::string bytes = {static_cast<char>(0x80 | opcode), '\x80', 'k', 'e', 'y', 's'};
    EXPECT_EQ(step(bytes), known ? HeadStep::whole : HeadStep::refused) << opcode;
  }
}

TEST(FrameHead, ControlFrameIsWholeAndAtMost125Bytes) {
  EXPECT_EQ(step("\x89\x7d"s), HeadStep::whole);
  EXPECT_EQ(step("\x89\x7e"s), HeadStep::refused);
  EXPECT_EQ(step("\x89\x7f"s), HeadStep::refused);
  EXPECT_EQ(step("\x09\x00"s), HeadStep::refused);
  EXPECT_EQ(step("\x08\x00"s), HeadStep::refused);
}

TEST(FrameHead, LengthThatIsNotInItsShortestFormIsRefused) {
  EXPECT_EQ(step("\x82\x7e\x00\x7d"s), HeadStep::refused);
  EXPECT_EQ(step("\x82\x7e\x00\x7e"s), HeadStep::whole);
  EXPECT_EQ(step("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"s), HeadStep::refused);
}

TEST(FrameHead, LengthWithItsTopBitSetIsRefused) {
  EXPECT_EQ(step("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"s), HeadStep::refused);
}

TEST(FrameHead, ReservedBitsAreTold) {
  FrameHead head;
  read("\xf1\x00"s, head);
  EXPECT_EQ(head.rsv, kRsv1 | kRsv2 | kRsv3);
  read("\xc1\x00"s, head);
  EXPECT_EQ(head.rsv, kRsv1);
}

TEST(FrameHead, WhatIsWrittenIsRead) {
  for (const std::uint64_t length : {0ul, 1ul, 125ul, 126ul, 127ul, 65535ul, 65536ul, 1ul << 40}) {
    char out[kMostFrameHead];
    FrameHead head;
    std::size_t size = write_frame_head(out, kFin | 2, length);
    EXPECT_EQ(read({out, size}, head).size, size);
    EXPECT_EQ(head.length, length);
    EXPECT_FALSE(head.masked);
    size = write_frame_head(out, 1, length, 0x01020304);
    EXPECT_EQ(read({out, size}, head).size, size);
    EXPECT_EQ(head.length, length);
    EXPECT_EQ(head.key, 0x01020304u);
    EXPECT_TRUE(head.masked);
  }
}

// --- masks (5.3) ---

std::string masked_plainly(std::string bytes, std::string_view key, std::size_t offset) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= key[(offset + i) % 4];
  return bytes;
}

TEST(Mask, AnyAlignmentLengthAndOffsetIsAsBytewise) {
  const std::string key = "\x37\xfa\x21\x3d";
  std::uint32_t word;
  std::memcpy(&word, key.data(), 4);
  for (std::size_t start = 0; start < 9; ++start) {
    for (std::size_t length = 0; length < 100; ++length) {
      for (std::size_t offset = 0; offset < 5; ++offset) {
        std::string bytes(start + length, 'x');
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
        const std::string expected = masked_plainly(bytes.substr(start), key, offset);
        unmask(std::span(bytes).subspan(start), word, offset);
        ASSERT_EQ(bytes.substr(start), expected) << start << ' ' << length << ' ' << offset;
      }
    }
  }
}

TEST(Mask, RfcsHelloIsHello) {  // 5.7
  std::string bytes = "\x7f\x9f\x4d\x51\x58";
  std::uint32_t key;
  std::memcpy(&key, "\x37\xfa\x21\x3d", 4);
  unmask(bytes, key);
  EXPECT_EQ(bytes, "Hello");
}

// --- UTF-8 (8.1) ---

bool valid(std::string_view text) {
  const bool whole = is_utf8(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8 check;
    const bool pieces = check.take(text.substr(0, cut)) && check.take(text.substr(cut)) && check.whole();
    EXPECT_EQ(pieces, whole) << "cut at " << cut;
  }
  return whole;
}

TEST(Utf8, CharactersOfEveryLengthAreValid) {
  EXPECT_TRUE(valid(""));
  EXPECT_TRUE(valid("a\x7f\0"s));
  EXPECT_TRUE(valid("κόσμε"));
  EXPECT_TRUE(valid("\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
  EXPECT_TRUE(valid("\xed\x9f\xbf\xee\x80\x80"));  // around the surrogates
  EXPECT_TRUE(valid("sixteen bytes of ASCII, and then a € in between of more and more of it"));
}

TEST(Utf8, OverlongFormsAreNot) {
  for (const char* text :
       {"\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf"}) {
    EXPECT_FALSE(valid(text));
  }
}

TEST(Utf8, SurrogatesAreNot) {
  EXPECT_FALSE(valid("\xed\xa0\x80"));
  EXPECT_FALSE(valid("\xed\xbf\xbf"));
}

TEST(Utf8, NothingAboveTheLastPlaneIs) {
  EXPECT_FALSE(valid("\xf4\x90\x80\x80"));
  EXPECT_FALSE(valid("\xf5\x80\x80\x80"));
  EXPECT_FALSE(valid("\xff"));
  EXPECT_FALSE(valid("\xfe"));
}

TEST(Utf8, LoneAndMissingContinuationsAreNot) {
  EXPECT_FALSE(valid("\x80"));
  EXPECT_FALSE(valid("a\xbfz"));
  EXPECT_FALSE(valid("\xc3"));
  EXPECT_FALSE(valid("\xe2\x82"));
  EXPECT_FALSE(valid("\xe2\x82z"));
  EXPECT_FALSE(valid("sixteen bytes or more of ASCII\xf0\x9f\x98"));
}

TEST(Utf8, FailsAtTheFirstByteThatCannotBe) {
  Utf8 check;
  EXPECT_TRUE(check.take("\xf4"));
  EXPECT_FALSE(check.whole());
  EXPECT_FALSE(check.take("\x90"));
}

TEST(CloseCode, IsOneThatMayTravel) {
  for (const unsigned code :
       {1000u, 1001u, 1002u, 1003u, 1007u, 1011u, 1012u, 1013u, 1014u, 3000u, 3999u, 4000u, 4999u})
    EXPECT_TRUE(valid_close_code(code)) << code;
  for (const unsigned code :
       {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u})
    EXPECT_FALSE(valid_close_code(code)) << code;
}

}  // namespace
}  // namespace limpet::wire
