#include "routing/rendezvous.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <span>

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

bool FirstInOrder::may_lead(const Pool::Seat& seat, std::uint64_t drawn) const {
  return 1.0 - as_fraction(drawn) <= best_.time * seat.weight;  // -ln(u) > 1 - u: this needs no logarithm
}

void FirstInOrder::offer(const Pool::Seat& seat, std::uint64_t drawn) {
  if (!may_lead(seat, drawn)) return;
  const Rank rank{-std::log(as_fraction(drawn)) / seat.weight, drawn, seat.index};
  if (found_ && !before(pool_, rank, best_)) return;
  found_ = true;
  best_ = rank;
}

namespace {

// Among seats of one weight the highest draw is first: draws are compared as they are, and only the winner of
// each such row is weighed.
template <class Asked>
void offer_rows(FirstInOrder& first, std::uint64_t key, std::span<const Pool::Seat> seats, Asked asked) {
  for (auto seat = seats.begin(); seat != seats.end();) {
    const double weight = seat->weight;
    const Pool::Seat* best = nullptr;
    std::uint64_t highest = 0;
    for (; seat != seats.end() && seat->weight == weight; ++seat) {
      const std::uint64_t drawn = draw(key, seat->id_hash);
      if (drawn < highest || !asked(*seat, drawn)) continue;
      if (best && drawn == highest) first.offer(*best, highest);  // ids whose hashes are equal
      best = &*seat;
      highest = drawn;
    }
    if (best) first.offer(*best, highest);
  }
}

}  // namespace

const Member* first_that(const Pool& pool, bool backup, std::uint64_t key, const Takes& takes) {
  const auto seats = pool.seats(backup);
  FirstInOrder first(pool, key);
  offer_rows(first, key, seats, [](const Pool::Seat&, std::uint64_t) { return true; });
  if (!first.member() || takes(*first.member(), first.drawn())) return first.member();
  FirstInOrder rest(pool, key);
  offer_rows(rest, key, seats, [&](const Pool::Seat& seat, std::uint64_t drawn) {
    return rest.may_lead(seat, drawn) && takes(pool.members()[seat.index], drawn);
  });
  return rest.member();
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
