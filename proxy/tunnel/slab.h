// Slab: slots of tunnels, addressed by index. One thread's. Grows by chunks and keeps them: freed slots, the
// latest first, are used again.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "proxy/tunnel/tunnel.h"

namespace limpet::tunnel {

class Slab {
 public:
  static constexpr std::uint32_t kChunk = 256;

  Tunnel* take() {
    if (free_.empty()) grow();
    Tunnel* slot = free_.back();
    free_.pop_back();
    return slot;
  }
  // The slot is as new, with the next generation.
  void give_back(Tunnel* slot) {
    const std::uint32_t index = slot->index;
    const std::uint32_t generation = slot->generation + 1;
    slot->~Tunnel();
    new (slot) Tunnel;
    slot->index = index;
    slot->generation = generation;
    free_.push_back(slot);
  }
  Tunnel* at(std::uint32_t index) {
    return index / kChunk < chunks_.size() ? &chunks_[index / kChunk][index % kChunk] : nullptr;
  }

 private:
  void grow() {
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * kChunk;
    chunks_.push_back(std::make_unique<Tunnel[]>(kChunk));
    free_.reserve((chunks_.size()) * kChunk);
    for (std::uint32_t i = kChunk; i-- > 0;) {
      chunks_.back()[i].index = first + i;
      free_.push_back(&chunks_.back()[i]);
    }
  }
  std::vector<std::unique_ptr<Tunnel[]>> chunks_;
  std::vector<Tunnel*> free_;
};

}  // namespace limpet::tunnel
