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
  constexpr std::size_t most_pools = 1024;
  if (pool.members().size() < kLargePool) return fresh_ = sums_of(pool, now_ms);
  const auto found = kept_.find(pool.serial());
  if (found == kept_.end()) {
    if (kept_.size() >= most_pools) kept_.clear();
    return kept_.emplace(pool.serial(), Kept{sums_of(pool, now_ms), now_ms}).first->second.sums;
  }
  Kept& kept = found->second;
  if (now_ms - kept.taken_ms >= kKeptMs)
    kept = {sums_of(pool, now_ms), now_ms};  // a clock that went back, too
  return kept.sums;
}

double present_weight(const Pool& pool, const Member& member, std::uint64_t now_ms) {
  return member.weight * slow_start_factor(*member.server, pool.settings().slow_start_ms, now_ms);
}

}  // namespace limpet::routing
