// What the sid table and the chooser allocate, counted by the whole program's operator new.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/unit/routing/pools.h"

namespace {

std::atomic<std::size_t> bytes_held{0};
std::atomic<std::size_t> allocations{0};

void* counted(void* block) {
  if (!block) throw std::bad_alloc();
  bytes_held += malloc_usable_size(block) + sizeof(std::size_t);  // and the allocator's own word
  ++allocations;
  return block;
}

void release(void* block) {
  if (block) bytes_held -= malloc_usable_size(block) + sizeof(std::size_t);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(std::malloc(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(step, (size + step - 1) / step * step));
}
void* operator new[](std::size_t size) {
  return counted(std::malloc(size));
}
void operator delete[](void* block) noexcept {
  release(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  release(block);
}
void operator delete(void* block) noexcept {
  release(block);
}
void operator delete(void* block, std::size_t) noexcept {
  release(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  release(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  release(block);
}

namespace limpet::routing {
namespace {

TEST(Memory, AMillionSidsTakeAtMost64BytesEach) {
  constexpr std::size_t most = 1'000'000;
  const std::size_t before = bytes_held;
  SidTable table(most);
  char sid[32];
  const auto learn = [&](std::uint32_t n) {
    const int length = std::snprintf(sid, sizeof sid, "sid-%u", n);
    table.learn({sid, static_cast<std::size_t>(length)}, 1, client(n), 45'000, 1);
  };
  EXPECT_LE(bytes_held - before, 16u << 10);
  for (std::uint32_t n = 0; n < 1000; ++n) learn(n);
  EXPECT_LE(bytes_held - before, 512u << 10);
  for (std::uint32_t n = 0; n < most * 5 / 4; ++n) learn(n);  // every shard is full
  EXPECT_EQ(table.size(), most);
  const std::size_t held = bytes_held - before;
  EXPECT_LE(held, most * 64);
  EXPECT_LE(table.bytes_per_entry(), 64u);
  EXPECT_NEAR(static_cast<double>(held) / most, static_cast<double>(table.bytes_per_entry()), 1.0);
  RecordProperty("bytes_per_entry", static_cast<int>(held / most));
}

TEST(Memory, SmallTablesKeepNearThat) {
  for (const std::size_t most : {10'000u, 100'000u, 1'100'000u})
    EXPECT_LE(SidTable(most).bytes_per_entry(), 64u);
}

TEST(Memory, ChoicesAllocateNothingOnceWarm) {
  SidTable sids(10'000);
  Chooser chooser(sids, 1);
  const std::string sid = self_named("ws7");
  const std::string_view cookies[] = {"nobody", "ws3"};
  for (const Balance balance :
       {Balance::source, Balance::least_connections, Balance::round_robin, Balance::random_two}) {
    const Pool pool(balanced(balance), members(20));
    set_load(pool.members()[3], 5'000);
    std::size_t warm = 0;
    for (std::uint32_t n = 0; n < 2000; ++n) {
      if (n == 1000) warm = allocations;
      Ask ask;
      ask.kind = static_cast<Kind>(n % 3);
      ask.client = n % 5 == 0 ? ClientKey{} : client(n);
      ask.sid = n % 2 == 0 ? std::string_view(sid) : "unknown";
      if (n % 7 == 0) ask.cookies = cookies;
      ASSERT_NE(chooser.choose(pool, ask).member, nullptr);
    }
    EXPECT_EQ(allocations, warm) << int(balance);
  }
}

}  // namespace
}  // namespace limpet::routing
