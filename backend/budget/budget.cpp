#include "backend/budget/budget.h"

#include <utility>

namespace limpet::budget {
namespace {

// Between two walks over all connections: what ends does not give everything back in the same turn, and a
// walk over a crowd costs milliseconds.
constexpr std::uint64_t kBetweenMs = 50;

// Who holds less than this part is not who fills it, and that many connections there are not: if something
// else does (what is kept for clients that come back), nobody pays for it.
constexpr std::size_t kSmallPart = 65'536;

// Where a walk has found nobody, the next one comes when so much more is held, or patience has an end.
constexpr std::size_t kStep = 64;

constinit thread_local Budget* current = nullptr;

}  // namespace

void reached() {
  current->on_mark();
}

Budget::Budget(net::Loop& loop, std::size_t most, std::uint64_t patience_ms)
    : most_(most),
      patience_ms_(patience_ms),
      previous_(std::exchange(current, this)),
      loop_(loop),
      turn_end_(net::delegate<&Budget::relieve>(this)),
      again_(loop, net::delegate<&Budget::relieve>(this)),
      patience_(loop, net::delegate<&Budget::on_patience>(this)) {
  set_mark();
}

Budget::~Budget() {
  Budget** at = &current;
  while (*at != this) at = &(*at)->previous_;
  *at = previous_;
  if (current != nullptr)
    current->set_mark();
  else
    mark = SIZE_MAX;
}

void Budget::set_mark() {
  mark = most_ == 0 ? SIZE_MAX : tight_ ? most_ : high();
}

bool Budget::tight() {
  if (tight_ && total <= low()) {
    tight_ = false;
    patience_.cancel();
    set_mark();
  }
  return tight_;
}

void Budget::on_mark() {
  if (!std::exchange(tight_, true)) patience_.after(patience_ms_);
  if (total <= most_) return set_mark();
  mark = SIZE_MAX;  // until relieve() has looked
  const std::uint64_t gone_ms = loop_.turn_ms() - relieved_ms_;
  if (gone_ms >= kBetweenMs) return loop_.at_end_of_turn(turn_end_);
  again_.after(kBetweenMs - gone_ms);
}

void Budget::relieve() {
  if (total <= most_) return set_mark();
  if (evict() != 0) return again_.after(kBetweenMs);  // was it enough?
  mark = total + most_ / kStep;
  again_.after(patience_ms_);
}

void Budget::on_patience() {
  if (!tight()) return;
  evict();
  patience_.after(patience_ms_);
}

std::size_t Budget::evict() {
  relieved_ms_ = loop_.turn_ms();
  Census census;
  for (const Spender* each : spenders_) each->weigh(census);
  Eviction eviction(census, total - low(), most_ / kSmallPart + 1);
  for (Spender* each : spenders_) each->evict(eviction);
  evicted_ += eviction.taken();
  return eviction.taken();
}

}  // namespace limpet::budget
