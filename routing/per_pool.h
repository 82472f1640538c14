// PerPool: what a worker remembers of each large pool for 10 ms, because reading a thousand servers' counters
// for every request costs some 20 us: each stands on a cache line that every thread writes.
//
// One thread's. It allocates when it meets a pool, and forgets all when it is told to, or remembers too many
// (pools of old configurations). T has `taken_ms`, when it was written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "routing/pool.h"

namespace limpet::routing {

constexpr std::size_t kLargePool = 64;  // members: from here on it pays
constexpr std::uint64_t kKeptMs = 10;

template <class T>
class PerPool {
 public:
  // `write(kept)` where there is nothing yet, or nothing fresh. The reference holds until the next call.
  template <class Write>
  T& of(const Pool& pool, std::uint64_t now_ms, Write write) {
    constexpr std::size_t most_pools = 1024;
    auto found = kept_.find(pool.serial());
    const bool known = found != kept_.end();
    if (!known) {
      if (kept_.size() >= most_pools) kept_.clear();
      found = kept_.emplace(pool.serial(), T{}).first;
    }
    T& kept = found->second;
    if (!known || now_ms - kept.taken_ms >= kKeptMs) {  // a clock that went back, too
      write(kept);
      kept.taken_ms = now_ms;
    }
    return kept;
  }
  void clear() { kept_.clear(); }

 private:
  std::unordered_map<std::uint64_t, T> kept_;  // by the pool's serial
};

}  // namespace limpet::routing
