#include "health/state_machine.h"

#include <algorithm>
#include <utility>

namespace limpet::health {

using routing::State;

std::string_view name_of(State state) {
  switch (state) {
    case State::up: return "up";
    case State::suspect: return "suspect";
    case State::refusing: return "refusing";
    case State::down: break;
  }
  return "down";
}

std::string_view name_of(routing::Wanted wanted) {
  switch (wanted) {
    case routing::Wanted::serving: return "serving";
    case routing::Wanted::draining: return "draining";
    case routing::Wanted::leaving: return "leaving";
    case routing::Wanted::maintenance: break;
  }
  return "maintenance";
}

StateMachine::Step StateMachine::on_probe(Result result, std::string_view text, std::uint64_t now_ms,
                                          bool pool_down, std::uint32_t failed_in_a_row) {
  if (result != Result::connect_failed) connects_failed_ = 0;
  if (result == Result::passed) ever_passed_ = true;
  unresolved_ = false;
  if (!probed_) return first_result(result, text, now_ms);
  switch (result) {
    case Result::passed: return on_passed(text, now_ms, pool_down);
    case Result::wrong:
      passed_ = silent_ = 0;
      if (state_ != State::refusing) return move_to(State::refusing, std::string(text), now_ms);
      reason_ = text;
      return {};
    case Result::silent: return on_silent(text, now_ms);
    case Result::connect_failed: passed_ = 0; return on_connect_failed(failed_in_a_row, text, now_ms);
  }
  return {};
}

// The first result is enough, either way. A server that is added has a slow start, those of the start have
// none.
StateMachine::Step StateMachine::first_result(Result result, std::string_view text, std::uint64_t now_ms) {
  probed_ = true;
  if (result == Result::passed) {
    Step step = state_ == State::up ? Step{} : move_to(State::up, std::string(text), now_ms);
    reason_ = text;
    step.slow_start = std::exchange(added_, false);
    return step;
  }
  if (result == Result::wrong) return move_to(State::refusing, std::string(text), now_ms);
  return move_to(State::down, std::string(text), now_ms);
}

StateMachine::Step StateMachine::on_passed(std::string_view text, std::uint64_t now_ms, bool pool_down) {
  silent_ = 0;
  passed_ = std::min(passed_ + 1, 1'000'000u);
  if (state_ == State::up) {
    reason_ = text;
    return {};
  }
  if (state_ == State::suspect) {
    Step step = move_to(State::up, std::string(text), now_ms);
    step.slow_start = false;  // it was never away
    return step;
  }
  const bool enough = passed_ >= needed() || (pool_down && state_ == State::down);
  if (!enough) return {};
  return move_to(State::up, std::string(text), now_ms);
}

StateMachine::Step StateMachine::on_silent(std::string_view text, std::uint64_t now_ms) {
  passed_ = 0;
  silent_ = std::min(silent_ + 1, 1'000'000u);
  if (state_ == State::down) {
    reason_ = text;
    return {};
  }
  if (silent_ >= settings_.fall) {
    return move_to(State::down, std::string(text) + " (" + std::to_string(silent_) + " in a row)", now_ms);
  }
  if (state_ == State::up) return move_to(State::suspect, std::string(text), now_ms);
  return {};
}

StateMachine::Step StateMachine::on_connect_failed(std::uint32_t in_a_row, std::string_view text,
                                                   std::uint64_t now_ms) {
  connects_failed_ = in_a_row;
  if (settings_.type == Settings::Type::off) return {};
  if (state_ == State::down) {
    reason_ = text;
    return {};
  }
  if (connects_failed_ < kConnectsDown) return {};
  return move_to(State::down, std::string(text) + " (" + std::to_string(connects_failed_) + " in a row)",
                 now_ms);
}

StateMachine::Step StateMachine::on_unresolved(std::string_view text, std::uint64_t now_ms) {
  unresolved_ = true;
  probed_ = false;  // once it resolves, the first result counts alone again
  if (state_ != State::down) return move_to(State::down, std::string(text), now_ms);
  reason_ = text;
  return {};
}

StateMachine::Step StateMachine::move_to(State next, std::string reason, std::uint64_t now_ms) {
  Step step{true, state_, next == State::up};
  step.changed = state_ != next;
  state_ = next;
  reason_ = std::move(reason);
  if (next != State::suspect) silent_ = 0;
  passed_ = 0;
  if (next == State::up) connects_failed_ = 0;
  if (next == State::down && step.changed) note_down(now_ms);
  return step;
}

void StateMachine::note_down(std::uint64_t now_ms) {
  down_at_[down_next_] = now_ms;
  down_next_ = (down_next_ + 1) % down_at_.size();
  down_kept_ = std::min(down_kept_ + 1, down_at_.size());
  down_count_ = 0;
  for (std::size_t i = 0; i < down_kept_; ++i) {
    if (down_at_[i] + kFlapWindowMs > now_ms) ++down_count_;
  }
}

// The third time in a minute doubles `rise`, the fourth again, up to what a minute of fast probes holds.
std::uint32_t StateMachine::needed() const {
  if (down_count_ < kFlapDowns) return settings_.rise;
  const std::uint64_t most =
      std::max<std::uint64_t>(kFlapWindowMs / std::max<std::uint64_t>(settings_.fast_interval_ms, 1), 1);
  const std::uint64_t wanted = static_cast<std::uint64_t>(settings_.rise)
                               << std::min(down_count_ - kFlapDowns + 1, 20u);
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(std::min(wanted, most), settings_.rise));
}

std::uint64_t StateMachine::next_delay_ms(double random, bool pool_down) const {
  const bool changing =
      state_ == State::suspect || connects_failed_ > 0 || (state_ != State::up && passed_ > 0);
  const std::uint64_t base =
      changing || (pool_down && !unresolved_) ? settings_.fast_interval_ms : settings_.interval_ms;
  // Only ever sooner: `fall` and `timeout` promise by when a silent server is out.
  const double factor = 1.0 - settings_.jitter * random;
  return std::max<std::uint64_t>(static_cast<std::uint64_t>(static_cast<double>(base) * factor), 1);
}

}  // namespace limpet::health
