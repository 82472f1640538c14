// Balance: choosing among servers for a request that no affinity places. Pure but for a caller's random
// state.
//
// Works on candidates, servers that may take the request, each with its load and its present weight (slow
// start included); which ones these are is the Chooser's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace limpet::routing {

struct Candidate {
  std::uint32_t index;  // into the pool's members
  std::uint32_t load;
  double weight;      // present weight, above 0
  double slow_start;  // the factor in it
};

// SplitMix64: small, fast, and good enough to spread load. Not for secrets.
struct Random {
  std::uint64_t state;
  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound);
  double fraction();  // in (0, 1)
};

// Each returns a position in `from`, which is not empty.
std::size_t least_connections(std::span<const Candidate> from,
                              Random& random);  // by load / weight, ties at random
std::size_t random_two(std::span<const Candidate> from,
                       Random& random);  // the less loaded of two weighted draws

// Smooth weighted round robin: in every run of requests each server gets its share, evenly interleaved. One
// object a worker; it remembers where each pool was, begins each at a random place so that workers do not
// march in step, and forgets all when it is told to, or remembers too many (pools of old configurations).
class Turns {
 public:
  std::size_t next(std::uint64_t pool_serial, std::size_t members, std::span<const Candidate> from,
                   Random& random);
  void clear() { credit_.clear(); }

 private:
  std::unordered_map<std::uint64_t, std::vector<double>> credit_;  // by pool, then by member
};

}  // namespace limpet::routing
