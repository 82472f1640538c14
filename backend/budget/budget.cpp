#include "backend/budget/budget.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "backend/budget/reserve.h"

namespace limpet::budget {
namespace {

// Between two walks over all connections: what ends does not give everything back in the same turn, and a
// walk over a crowd costs milliseconds.
constexpr std::uint64_t kBetweenMs = 50;

// Who holds less than this part is not who fills it, and that many connections there are not: if something
// else does, nobody pays for it.
constexpr std::size_t kSmallPart = 65'536;

// Where a walk has found nobody, the next one comes when so much more is held, or patience has an end.
constexpr std::size_t kStep = 64;

constinit thread_local Budget* current = nullptr;

using Reserves = boost::intrusive::list<Reserve, boost::intrusive::constant_time_size<false>>;
thread_local Reserves reserves;

}  // namespace

Reserve::Reserve() {
  reserves.push_back(*this);
}

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
  if (make_room()) return again_.after(kBetweenMs);  // was it enough?
  mark = total + most_ / kStep;
  again_.after(patience_ms_);
}

void Budget::on_patience() {
  if (!tight()) return;
  make_room();
  patience_.after(patience_ms_);
}

bool Budget::make_room() {
  relieved_ms_ = loop_.turn_ms();
  const std::size_t forgotten = let_go(total - low());
  return (total > low() && evict() != 0) || forgotten != 0;
}

// Of each the same part. What slow readers wait for as well stays; the next time they are met.
std::size_t Budget::let_go(std::size_t wanted) {
  std::size_t held = 0;
  for (const Reserve& each : reserves) held += each.held();
  if (held == 0) return 0;
  const double part = std::min(1.0, static_cast<double>(wanted) / static_cast<double>(held));
  std::size_t gone = 0;
  for (Reserve& each : reserves)
    gone += each.let_go(static_cast<std::size_t>(std::ceil(static_cast<double>(each.held()) * part)));
  forgotten_ += gone;
  return gone;
}

std::size_t Budget::evict() {
  Census census;
  for (const Spender* each : spenders_) each->weigh(census);
  Eviction eviction(census, total - low(), most_ / kSmallPart + 1);
  for (Spender* each : spenders_) each->evict(eviction);
  evicted_ += eviction.taken();
  return eviction.taken();
}

}  // namespace limpet::budget
