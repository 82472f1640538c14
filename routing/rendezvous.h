// Rendezvous hashing, weighted: every server draws a number for a key, the best draw has the key. Pure.
//
// A draw depends on the key and on the server's id alone, a rank on these and the weight. So the order is the
// same in every process and whatever the order of the members, and a server that goes or comes moves no key
// but its own. Weights: u is the draw as a number in (0, 1); the highest -weight / ln(u) is first, as in an
// exponential race, and gives each server its share exactly.
//
// Nothing is sorted to find the first: one pass over the pool's seats, and one logarithm a weight that
// differs. What that costs by the number of servers: tests/bench/SCALING.md.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "routing/client_key.h"
#include "routing/pool.h"

namespace limpet::routing {

std::uint64_t draw(std::uint64_t key, std::uint64_t id_hash);
double as_fraction(std::uint64_t bits);  // uniform in (0, 1), both ends excluded

// A server's place in a key's order: the lowest time is first, of equal ones the highest draw, then the id.
struct Rank {
  double time;  // -ln(u) / weight
  std::uint64_t drawn;
  std::uint32_t index;  // into the pool's members
};
bool before(const Pool& pool, const Rank& a, const Rank& b);

// Takes seats in any order and knows which of them is first for the key.
class FirstInOrder {
 public:
  FirstInOrder(const Pool& pool, std::uint64_t key) : pool_(pool), key_(key) {}
  void offer(const Pool::Seat& seat) { offer(seat, draw(key_, seat.id_hash)); }
  void offer(const Pool::Seat& seat, std::uint64_t drawn);
  // False if it would certainly not be first now.
  bool may_lead(const Pool::Seat& seat, std::uint64_t drawn) const;
  const Member* member() const { return found_ ? &pool_.members()[best_.index] : nullptr; }
  std::uint64_t drawn() const { return best_.drawn; }

 private:
  const Pool& pool_;
  const std::uint64_t key_;
  bool found_ = false;
  Rank best_{std::numeric_limits<double>::infinity(), 0, 0};
};

// Whether a member takes the request, given its draw. Refers to a callable that outlives it.
class Takes {
 public:
  template <class Callable>
  explicit Takes(const Callable& callable)
      : callable_(&callable), call_([](const void* self, const Member& member, std::uint64_t drawn) -> bool {
          return (*static_cast<const Callable*>(self))(member, drawn);
        }) {}
  bool operator()(const Member& member, std::uint64_t drawn) const { return call_(callable_, member, drawn); }

 private:
  const void* callable_;
  bool (*call_)(const void*, const Member&, std::uint64_t);
};

// The first in the key's order that takes the request; null if none does. Asks few: first the very first, and
// if that does not take it, in one more pass, those that would be first of all that were asked so far.
const Member* first_that(const Pool& pool, bool backup, std::uint64_t key, const Takes& takes);

// Rendezvous order of a pool's members for a key, best first: a pure function of ids, weights, seed and key.
// Members with weight 0 are left out. `out` is cleared.
void rendezvous_order(const Pool& pool, const ClientKey& client, std::vector<const Member*>& out);

}  // namespace limpet::routing
