#include "routing/rendezvous.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "routing/xxh3.h"

namespace limpet::routing {
namespace {

// XXH3 reads memory: the bytes must be the same on every machine.
std::uint64_t little_endian(std::uint64_t value) {
  if constexpr (std::endian::native == std::endian::big) return __builtin_bswap64(value);
  return value;
}

}  // namespace

std::uint64_t draw(std::uint64_t key, std::uint64_t id_hash) {
  const std::array<std::uint64_t, 2> both{little_endian(key), little_endian(id_hash)};
  return XXH3_64bits(both.data(), sizeof both);
}

double as_fraction(std::uint64_t bits) {
  return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;  // 53 significant bits: never rounded to 0 or 1
}

bool before(const Pool& pool, const Rank& a, const Rank& b) {
  if (a.time != b.time) return a.time < b.time;
  if (a.drawn != b.drawn) return a.drawn > b.drawn;
  return pool.members()[a.index].server->id < pool.members()[b.index].server->id;
}

void FirstInOrder::offer(const Pool::Seat& seat, std::uint64_t drawn) {
  const double u = as_fraction(drawn);
  if (1.0 - u > best_.time * seat.weight) return;  // -ln(u) > 1 - u: it cannot win, and needs no logarithm
  const Rank rank{-std::log(u) / seat.weight, drawn, seat.index};
  if (found_ && !before(pool_, rank, best_)) return;
  found_ = true;
  best_ = rank;
}

// Among seats of one weight the highest draw is first: only the winner of each such row is weighed.
void FirstInOrder::offer_all(std::span<const Pool::Seat> seats) {
  for (auto seat = seats.begin(); seat != seats.end();) {
    auto best = seat;
    std::uint64_t highest = draw(key_, seat->id_hash);
    for (++seat; seat != seats.end() && seat->weight == best->weight; ++seat) {
      const std::uint64_t drawn = draw(key_, seat->id_hash);
      if (drawn < highest) continue;
      if (drawn == highest) {  // ids whose hashes are equal
        offer(*seat, drawn);
        continue;
      }
      best = seat;
      highest = drawn;
    }
    offer(*best, highest);
  }
}

FirstFew::FirstFew(const Pool& pool, std::uint64_t key, std::span<const Pool::Seat> seats) {
  for (const Pool::Seat& seat : seats) {
    const std::uint64_t drawn = draw(key, seat.id_hash);
    const double u = as_fraction(drawn);
    if (size_ == kFew && 1.0 - u > ranks_.back().time * seat.weight) continue;
    insert(pool, {-std::log(u) / seat.weight, drawn, seat.index});
  }
}

void FirstFew::insert(const Pool& pool, const Rank& rank) {
  if (size_ == kFew && !before(pool, rank, ranks_.back())) return;
  std::size_t at = size_ < kFew ? size_++ : kFew - 1;
  for (; at > 0 && before(pool, rank, ranks_[at - 1]); --at) ranks_[at] = ranks_[at - 1];
  ranks_[at] = rank;
}

void rendezvous_order(const Pool& pool, const ClientKey& client, std::vector<const Member*>& out) {
  const std::uint64_t key = client.hash(pool.settings().seed);
  std::vector<Rank> ranked;
  for (const bool backup : {false, true}) {
    for (const Pool::Seat& seat : pool.seats(backup)) {
      const std::uint64_t drawn = draw(key, seat.id_hash);
      ranked.push_back({-std::log(as_fraction(drawn)) / seat.weight, drawn, seat.index});
    }
  }
  std::sort(ranked.begin(), ranked.end(),
            [&pool](const Rank& a, const Rank& b) { return before(pool, a, b); });
  out.clear();
  for (const Rank& each : ranked) out.push_back(&pool.members()[each.index]);
}

}  // namespace limpet::routing
