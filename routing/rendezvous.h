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

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
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
  void offer_all(std::span<const Pool::Seat> seats);  // fastest where seats of one weight stand together
  const Member* member() const { return found_ ? &pool_.members()[best_.index] : nullptr; }
  std::uint64_t drawn() const { return best_.drawn; }

 private:
  const Pool& pool_;
  const std::uint64_t key_;
  bool found_ = false;
  Rank best_{std::numeric_limits<double>::infinity(), 0, 0};
};

// The first few of a key's order, best first: for when the very first does not take the request.
class FirstFew {
 public:
  FirstFew(const Pool& pool, std::uint64_t key, std::span<const Pool::Seat> seats);
  const Rank* begin() const { return ranks_.data(); }
  const Rank* end() const { return ranks_.data() + size_; }

 private:
  static constexpr std::size_t kFew = 8;  // with half of the servers away all eight are for one key in 256
  void insert(const Pool& pool, const Rank& rank);
  std::array<Rank, kFew> ranks_;
  std::size_t size_ = 0;
};

// Rendezvous order of a pool's members for a key, best first: a pure function of ids, weights, seed and key.
// Members with weight 0 are left out. `out` is cleared.
void rendezvous_order(const Pool& pool, const ClientKey& client, std::vector<const Member*>& out);

}  // namespace limpet::routing
