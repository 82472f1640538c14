// Slab: slots of tunnels, addressed by index. One thread's.
//
// Grows by chunks, straight from the kernel, and gives a chunk back once it is empty and others have room
// enough: what a mass close leaves is memory at rest. Slots are taken from the lowest chunk with a free one,
// so that the others do empty.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <vector>

#include "proxy/tunnel/tunnel.h"

namespace limpet::tunnel {

class Slab {
 public:
  static constexpr std::uint32_t kChunk = 256;

  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    for (Chunk& each : chunks_) unmap(each);
  }

  Tunnel* take() {
    if (free_ == 0) grow();
    while (chunks_[lowest_].free == nullptr) ++lowest_;
    Chunk& chunk = chunks_[lowest_];
    Tunnel* slot = chunk.free;
    chunk.free = slot->next;
    slot->next = nullptr;
    ++chunk.used;
    --free_;
    return slot;
  }

  // The slot is as new, with the next generation.
  void give_back(Tunnel* slot) {
    const std::uint32_t index = slot->index;
    const std::uint32_t generation = slot->generation + 1;
    newest_ = std::max(newest_, generation);
    slot->~Tunnel();
    new (slot) Tunnel;
    slot->index = index;
    slot->generation = generation;
    Chunk& chunk = chunks_[index / kChunk];
    slot->next = chunk.free;
    chunk.free = slot;
    --chunk.used;
    ++free_;
    if (chunk.used == 0 && free_ >= 2 * kChunk) {
      unmap(chunk);
      free_ -= kChunk;
    }
    lowest_ = std::min(lowest_, index / kChunk);
  }

  // nullptr: no such slot, or none any more.
  Tunnel* at(std::uint32_t index) {
    const std::uint32_t chunk = index / kChunk;
    if (chunk >= chunks_.size() || chunks_[chunk].slots == nullptr) return nullptr;
    return &chunks_[chunk].slots[index % kChunk];
  }
  std::size_t chunks() const {  // that take memory
    return chunks_.size() - static_cast<std::size_t>(std::ranges::count(chunks_, nullptr, &Chunk::slots));
  }

 private:
  static constexpr std::size_t kBytes = kChunk * sizeof(Tunnel);
  struct Chunk {
    Tunnel* slots = nullptr;
    Tunnel* free = nullptr;  // linked by `next`
    std::uint32_t used = 0;
  };

  void grow() {
    const auto unmapped = std::ranges::find(chunks_, nullptr, &Chunk::slots);
    const auto at = static_cast<std::uint32_t>(unmapped - chunks_.begin());
    if (unmapped == chunks_.end()) chunks_.emplace_back();
    map(chunks_[at], at * kChunk);
    lowest_ = std::min(lowest_, at);
  }
  // A chunk that comes again has other generations than it had: events may name what it held.
  void map(Chunk& chunk, std::uint32_t first) {
    void* room = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) throw std::bad_alloc();
    chunk.slots = static_cast<Tunnel*>(room);
    for (std::uint32_t i = kChunk; i-- > 0;) {
      auto* slot = new (&chunk.slots[i]) Tunnel;
      slot->index = first + i;
      slot->generation = newest_;
      slot->next = chunk.free;
      chunk.free = slot;
    }
    free_ += kChunk;
  }
  static void unmap(Chunk& chunk) {
    if (chunk.slots != nullptr) ::munmap(chunk.slots, kBytes);
    chunk = {};
  }

  std::vector<Chunk> chunks_;
  std::uint32_t lowest_ = 0;  // no chunk before it has a free slot
  std::uint32_t newest_ = 0;  // the highest generation there was
  std::uint32_t free_ = 0;
};

}  // namespace limpet::tunnel
