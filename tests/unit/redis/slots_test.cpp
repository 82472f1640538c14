#include "backend/redis/slots.h"

#include <gtest/gtest.h>

#include "tests/unit/redis/replies.h"

namespace limpet::redis {
namespace {

const Endpoint asked{"10.0.0.9", 7000};

TEST(Slots, OfKeys) {
  EXPECT_EQ(slot_of("123456789"), 0x31c3 % kSlots);
  EXPECT_EQ(slot_of("foo"), 12182);
  EXPECT_EQ(slot_of("somekey"), 11058);
  EXPECT_EQ(slot_of(""), 0);
}

TEST(Slots, OfTheTagInBraces) {
  EXPECT_EQ(slot_of("foo{hash_tag}"), 2515);
  EXPECT_EQ(slot_of("bar{hash_tag}"), 2515);
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("user1000"));
  EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
  EXPECT_EQ(slot_of("foo{bar}{zap}"), slot_of("bar"));
  EXPECT_NE(slot_of("foo{}{bar}"), slot_of("bar"));
  EXPECT_NE(slot_of("foo{}{bar}"), slot_of(""));
  EXPECT_NE(slot_of("foo{bar"), slot_of("bar"));
}

TEST(Slots, AreReadFromTheAnswer) {
  const Read read(
      "*2\r\n"
      "*4\r\n:0\r\n:8000\r\n*4\r\n$9\r\n127.0.0.1\r\n:7001\r\n$2\r\nid\r\n*0\r\n*3\r\n$9\r\n127.0.0.1\r\n:"
      "7004\r\n$1\r\nr\r\n"
      "*3\r\n:8001\r\n:16383\r\n*2\r\n$-1\r\n:7002\r\n");
  const auto ranges = read_slots(read.reply, asked);
  ASSERT_TRUE(ranges);
  ASSERT_EQ(ranges->size(), 2u);
  EXPECT_EQ((*ranges)[0].last, 8000);
  EXPECT_EQ((*ranges)[0].master, (Endpoint{"127.0.0.1", 7001}));
  EXPECT_EQ((*ranges)[1].master, (Endpoint{"10.0.0.9", 7002}))
      << "who does not know its address is who was asked";
}

TEST(Slots, WhatIsNoAnswerIsNone) {
  for (const std::string_view bytes :
       {"*0\r\n", "+OK\r\n", "$-1\r\n", "-ERR This instance has cluster support disabled\r\n", "*1\r\n:1\r\n",
        "*1\r\n*0\r\n", "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:-1\r\n:5\r\n*2\r\n$1\r\na\r\n:1\r\n", "*1\r\n*3\r\n:9\r\n:5\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\na\r\n:0\r\n",
        "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\na\r\n:65536\r\n",
        "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$3\r\na b\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$4\r\n/tmp\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\n?\r\n:1\r\n", "*1\r\n*3\r\n:0\r\n:5\r\n:7\r\n"}) {
    EXPECT_FALSE(read_slots(Read(bytes).reply, asked)) << bytes;
  }
}

TEST(Redirects, AreRead) {
  const auto moved = read_redirect("MOVED 3999 10.0.0.1:6381", asked);
  ASSERT_TRUE(moved);
  EXPECT_FALSE(moved->ask);
  EXPECT_EQ(moved->slot, 3999);
  EXPECT_EQ(moved->to, (Endpoint{"10.0.0.1", 6381}));
  EXPECT_TRUE(read_redirect("ASK 0 host.example:1", asked)->ask);
  EXPECT_EQ(read_redirect("MOVED 1 ::1:6381", asked)->to, (Endpoint{"::1", 6381}));
  EXPECT_EQ(read_redirect("MOVED 1 :6381", asked)->to, (Endpoint{"10.0.0.9", 6381}));
}

TEST(Redirects, WhatIsNoneIsNone) {
  for (const std::string_view error :
       {"", "ERR", "MOVED", "MOVED 1", "MOVED 1 ", "MOVED x h:1", "MOVED 16384 h:1", "MOVED -1 h:1",
        "MOVED 1 h", "MOVED 1 h:", "MOVED 1 h:0", "MOVED 1 h:65536", "MOVED 1 h:x", "MOVED 1 ?:1",
        "MOVED1 h:1", "moved 1 h:1", "MOVED 1 /tmp:1"}) {
    EXPECT_FALSE(read_redirect(error, asked)) << error;
  }
}

}  // namespace
}  // namespace limpet::redis
