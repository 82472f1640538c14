#include "proxy/bundle/restarts.h"

#include <algorithm>

namespace limpet::bundle {

void Restarts::ended_as_asked(std::uint64_t now_ms) {
  const bool stable = ready_since_ms_ != 0 && now_ms + 1 >= ready_since_ms_ + settings_.stable_ms;
  ready_since_ms_ = 0;
  if (stable) failures_ = 0;
}

Restarts::Verdict Restarts::ended(std::uint64_t now_ms, double random) {
  ended_as_asked(now_ms);  // and then it is a failure all the same
  if (failures_ == 0) first_failure_ms_ = now_ms;
  ++failures_;
  Verdict verdict;
  verdict.failures = failures_;
  verdict.within_ms = now_ms - first_failure_ms_;
  verdict.held = failures_ >= settings_.crash_loop;
  std::uint64_t delay = settings_.held_ms;
  if (!verdict.held) {
    delay = settings_.first_ms;
    for (std::uint32_t i = 1; i < failures_ && delay < settings_.most_ms; ++i) delay *= 2;
    delay = std::min(delay, settings_.most_ms);
  }
  const double factor = 1.0 + settings_.jitter * (2.0 * random - 1.0);
  verdict.delay_ms = static_cast<std::uint64_t>(static_cast<double>(delay) * factor);
  return verdict;
}

}  // namespace limpet::bundle
