// Surveys: what a load bound is reckoned with: sums over all members of a pool.
//
// Reading the counters of a thousand servers costs 4 us when they are in cache, and many times that when
// other threads have just written them: too much for every new session. So the sums of a large pool stand for
// 10 ms; those of a small one are always taken anew. A bound above its least, 64, needs some 51 sessions a
// server, which 10 ms do not change by much; the load that is held against it is the server's own, and of
// now.
//
// One object a worker, touched by its thread only.
#pragma once

#include <array>
#include <cstdint>

#include "routing/per_pool.h"

namespace limpet::routing {

struct Sums {
  std::uint64_t load = 0;           // of all members
  std::array<double, 2> weights{};  // present, of those that take new sessions; [1]: of the backups
  std::uint64_t taken_ms = 0;
};

class Surveys {
 public:
  // The reference holds until the next call.
  const Sums& of(const Pool& pool, std::uint64_t now_ms);
  void clear() { kept_.clear(); }

 private:
  Sums fresh_;
  PerPool<Sums> kept_;
};

// A member's weight with its slow start.
double present_weight(const Pool& pool, const Member& member, std::uint64_t now_ms);

}  // namespace limpet::routing
