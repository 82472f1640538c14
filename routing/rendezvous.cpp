#include "routing/rendezvous.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <tuple>

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

void FirstInOrder::offer(const Pool::Seat& seat, std::uint64_t drawn) {
  const double u = as_fraction(drawn);
  if (1.0 - u > time_ * seat.weight) return;  // -ln(u) > 1 - u: it cannot win, and needs no logarithm
  const double time = -std::log(u) / seat.weight;
  if (time > time_) return;
  if (time == time_) {
    if (drawn < drawn_) return;
    const auto& members = pool_.members();
    if (drawn == drawn_ && members[seat.index].server->id > members[seat_->index].server->id) return;
  }
  seat_ = &seat;
  drawn_ = drawn;
  time_ = time;
}

void rendezvous_order(const Pool& pool, const ClientKey& client, std::vector<const Member*>& out) {
  struct Ranked {
    double time;
    std::uint64_t drawn;
    const Member* member;
  };
  const std::uint64_t key = client.hash(pool.settings().seed);
  std::vector<Ranked> ranked;
  for (const bool backup : {false, true}) {
    for (const Pool::Seat& seat : pool.seats(backup)) {
      const std::uint64_t drawn = draw(key, seat.id_hash);
      ranked.push_back({-std::log(as_fraction(drawn)) / seat.weight, drawn, &pool.members()[seat.index]});
    }
  }
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    return std::tie(a.time, b.drawn, a.member->server->id) < std::tie(b.time, a.drawn, b.member->server->id);
  });
  out.clear();
  for (const Ranked& each : ranked) out.push_back(each.member);
}

}  // namespace limpet::routing
