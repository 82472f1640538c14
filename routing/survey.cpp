#include "routing/survey.h"

namespace limpet::routing {
namespace {

Sums sums_of(const Pool& pool, std::uint64_t now_ms) {
  Sums sums;
  for (const Member& member : pool.members()) {
    const Server& server = *member.server;
    sums.load += server.in_use();
    if (server.takes_new()) sums.weights[member.backup ? 1 : 0] += present_weight(pool, member, now_ms);
  }
  return sums;
}

}  // namespace

const Sums& Surveys::of(const Pool& pool, std::uint64_t now_ms) {
  if (pool.members().size() < kLargePool) return fresh_ = sums_of(pool, now_ms);
  return kept_.of(pool, now_ms, [&](Sums& kept) { kept = sums_of(pool, now_ms); });
}

double present_weight(const Pool& pool, const Member& member, std::uint64_t now_ms) {
  return member.weight * slow_start_factor(*member.server, pool.settings().slow_start_ms, now_ms);
}

}  // namespace limpet::routing
