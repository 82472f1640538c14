// Rosters: who is next in a large pool, for least_connections and round_robin.
//
// Those that can take a request are written into a heap, the next one on top, and the roster stands for 10 ms
// (per_pool.h). Who is taken goes back by what he took,
// so that the roster knows this worker's own choices at once; of others' it learns when a server comes to the
// top, whose state and load are read then. What it may miss for 10 ms is a server that has come up or become
// less loaded.
//
// One object a worker, touched by its thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "routing/balance.h"
#include "routing/per_pool.h"

namespace limpet::routing {

class Rosters {
 public:
  // Null if there is nobody to be found so: then all must be looked at.
  const Member* next(const Pool& pool, std::uint64_t now_ms, Random& random);
  void clear() { kept_.clear(); }

 private:
  struct Entry {
    double key;  // the lowest is next: load / weight, or in round_robin the time when its turn comes
    double tie;  // at random
    double weight;
    std::uint32_t index;
  };
  struct Roster {
    std::vector<Entry> heap;
    std::vector<double> due;  // in round_robin: by member, across rewritings
    double time = 0;          // the last turn's
    std::uint64_t taken_ms = 0;
  };
  static bool later(const Entry& a, const Entry& b);
  static void write(Roster& roster, const Pool& pool, std::uint64_t now_ms, Random& random);
  static const Member* take(Roster& roster, const Pool& pool, Random& random);

  PerPool<Roster> kept_;
};

// Two different servers of a large pool, drawn by present weight: the less loaded for its weight. Null if
// luck finds no two that can take a request: then all must be looked at.
const Member* random_two(const Pool& pool, std::uint64_t now_ms, Random& random);

}  // namespace limpet::routing
