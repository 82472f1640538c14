#include "proxy/tunnel/slab.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace limpet::tunnel {
namespace {

std::vector<Tunnel*> take(Slab& slab, std::size_t count) {
  std::vector<Tunnel*> taken;
  for (std::size_t i = 0; i < count; ++i) taken.push_back(slab.take());
  return taken;
}

TEST(Slab, SlotsAreDistinctAndFoundByTheirIndex) {
  Slab slab;
  const auto taken = take(slab, 3 * Slab::kChunk);
  EXPECT_EQ(std::set<Tunnel*>(taken.begin(), taken.end()).size(), taken.size());
  for (Tunnel* each : taken) EXPECT_EQ(slab.at(each->index), each);
  EXPECT_EQ(slab.at(3 * Slab::kChunk), nullptr);
}

TEST(Slab, FreedSlotIsAsNewInItsNextGeneration) {
  Slab slab;
  Tunnel* slot = slab.take();
  const std::uint32_t generation = slot->generation;
  slot->closing = true;
  slab.give_back(slot);
  Tunnel* again = slab.take();
  EXPECT_EQ(again, slot);
  EXPECT_FALSE(again->closing);
  EXPECT_EQ(again->next, nullptr);
  EXPECT_NE(again->generation, generation);
}

TEST(Slab, EmptyChunksAreGivenBackAndComeAgainWithOtherGenerations) {
  Slab slab;
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (int round = 0; round < 3; ++round) {
    const auto taken = take(slab, 10 * Slab::kChunk);
    for (Tunnel* each : taken) EXPECT_TRUE(seen.emplace(each->index, each->generation).second);
    EXPECT_EQ(slab.chunks(), 10u);
    for (Tunnel* each : taken) slab.give_back(each);
    EXPECT_EQ(slab.chunks(), 1u);
  }
}

TEST(Slab, OneThatComesAndGoesAtAChunksEdgeMovesNoChunk) {
  Slab slab;
  const auto held = take(slab, Slab::kChunk);
  slab.give_back(slab.take());
  const std::size_t chunks = slab.chunks();
  for (int i = 0; i < 100; ++i) {
    Tunnel* slot = slab.take();
    EXPECT_EQ(slab.chunks(), chunks);
    slab.give_back(slot);
    EXPECT_EQ(slab.chunks(), chunks);
  }
  for (Tunnel* each : held) slab.give_back(each);
}

}  // namespace
}  // namespace limpet::tunnel
