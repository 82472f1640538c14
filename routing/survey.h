// Surveys: what a load bound is reckoned with: sums over all members of a pool.
//
// Reading the counters of a thousand servers costs 4 us when they are in cache, and many times that when
// other threads have just written them: too much for every new session. So the sums of a large pool stand for
// 10 ms; those of a small one are always taken anew. A bound above its least, 64, needs some 51 sessions a
// server, which 10 ms do not change by much; the load that is held against it is the server's own, and of
// now.
//
// One object a worker, touched by its thread only; it allocates when it meets a pool, and forgets all when it
// remembers too many (pools of old configurations).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "routing/pool.h"

namespace limpet::routing {

struct Sums {
  std::uint64_t load = 0;           // of all members
  std::array<double, 2> weights{};  // present, of those that take new sessions; [1]: of the backups
};

class Surveys {
 public:
  static constexpr std::size_t kLargePool = 64;  // members: from here on sums are kept
  static constexpr std::uint64_t kKeptMs = 10;

  // The reference holds until the next call.
  const Sums& of(const Pool& pool, std::uint64_t now_ms);

 private:
  struct Kept {
    Sums sums;
    std::uint64_t taken_ms;
  };
  Sums fresh_;
  std::unordered_map<std::uint64_t, Kept> kept_;  // by the pool's serial
};

// A member's weight with its slow start.
double present_weight(const Pool& pool, const Member& member, std::uint64_t now_ms);

}  // namespace limpet::routing
