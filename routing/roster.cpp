#include "routing/roster.h"

#include <algorithm>

#include "routing/survey.h"

namespace limpet::routing {
namespace {

bool can_take(const Member& member) {
  const std::uint32_t most = member.max_connections;
  return member.weight != 0 && !member.backup && member.server->takes_new() &&
         (most == 0 || member.server->in_use() < most);
}

}  // namespace

bool Rosters::later(const Entry& a, const Entry& b) {
  return a.key != b.key ? a.key > b.key : a.tie > b.tie;
}

void Rosters::write(Roster& roster, const Pool& pool, std::uint64_t now_ms, Random& random) {
  const auto& members = pool.members();
  const bool in_turn = pool.settings().balance == Balance::round_robin;
  if (in_turn && roster.due.empty()) {  // workers do not begin at the same server
    for (const Member& each : members) roster.due.push_back(random.fraction() / std::max(each.weight, 1u));
  }
  roster.heap.clear();
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    if (!can_take(members[i])) continue;
    const double weight = present_weight(pool, members[i], now_ms);
    // Who was away has no turns to make up for.
    const double key = in_turn ? std::max(roster.due[i], roster.time) : members[i].server->in_use() / weight;
    roster.heap.push_back({key, random.fraction(), weight, i});
  }
  std::make_heap(roster.heap.begin(), roster.heap.end(), later);
}

const Member* Rosters::take(Roster& roster, const Pool& pool, Random& random) {
  const bool in_turn = pool.settings().balance == Balance::round_robin;
  std::vector<Entry>& heap = roster.heap;
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    Entry& entry = heap.back();
    const Member& member = pool.members()[entry.index];
    if (!can_take(member)) {
      heap.pop_back();  // until the roster is written anew
      continue;
    }
    const double load = member.server->in_use() / entry.weight;
    if (!in_turn && load > entry.key) {  // others have chosen it, too
      entry.key = load;
      std::push_heap(heap.begin(), heap.end(), later);
      continue;
    }
    if (in_turn) roster.time = std::max(roster.time, entry.key);
    entry.key += 1 / entry.weight;
    entry.tie = random.fraction();
    if (in_turn) roster.due[entry.index] = entry.key;
    std::push_heap(heap.begin(), heap.end(), later);
    return &member;
  }
  return nullptr;
}

const Member* Rosters::next(const Pool& pool, std::uint64_t now_ms, Random& random) {
  Roster& roster = kept_.of(pool, now_ms, [&](Roster& kept) { write(kept, pool, now_ms, random); });
  return take(roster, pool, random);
}

// --- power of two choices ---

namespace {

struct Drawn {
  const Member* member = nullptr;
  double weight = 0;
};

// By weight among all, and again if it cannot take the request: so by weight among those that can.
Drawn draw_one(const Pool& pool, std::uint64_t now_ms, const Member* without, Random& random) {
  for (int tries = 0; tries < 16; ++tries) {
    const Member& member = pool.members()[pool.seat_at(random.fraction()).index];
    if (&member == without || !can_take(member)) continue;
    const double weight = present_weight(pool, member, now_ms);
    if (weight < member.weight && random.fraction() * member.weight >= weight) continue;
    return {&member, weight};
  }
  return {};
}

}  // namespace

const Member* random_two(const Pool& pool, std::uint64_t now_ms, Random& random) {
  if (pool.seats(false).empty()) return nullptr;
  const Drawn one = draw_one(pool, now_ms, nullptr, random);
  if (!one.member) return nullptr;
  const Drawn two = draw_one(pool, now_ms, one.member, random);
  if (!two.member) return nullptr;
  const bool second = two.member->server->in_use() * one.weight < one.member->server->in_use() * two.weight;
  return second ? two.member : one.member;
}

}  // namespace limpet::routing
