// Budget: the bound on what all clients together hold (share.h), and what happens at it.
//
// From 7/8 of it on there is no room for new sessions, until it is down to 3/4. At the bound, at the end of
// the turn, it is brought down to 3/4: what is kept for those who are away goes (reserve.h), and where that
// is not enough those connections end that hold most. Likewise when there has been no room for a while, or a
// few who never read could keep all others out for ever. Reading no more from anybody instead would leave
// what is held where it is, and stop the heartbeats of those who hold nothing.
//
// A thread has one; the newest counts. Outlived by the Loop; whoever is watched outlives it, or ends with it
// before the loop runs again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/budget/census.h"
#include "backend/budget/share.h"
#include "proxy/net/loop.h"

namespace limpet::budget {

// Who has connections.
class Spender {
 public:
  virtual void weigh(Census& census) const = 0;  // counts each
  virtual void evict(Eviction& eviction) = 0;    // asks for each, and ends it now or in the next turn

 protected:
  ~Spender() = default;
};

class Budget {
 public:
  static constexpr std::uint64_t kPatienceMs = 5'000;  // longer than what one burst leaves takes to be read

  // 0: no bound. There may be no room for `patience_ms`.
  Budget(net::Loop& loop, std::size_t most, std::uint64_t patience_ms = kPatienceMs);
  ~Budget();
  Budget(const Budget&) = delete;

  void watch(Spender& spender) { spenders_.push_back(&spender); }
  bool tight();  // no room for new sessions
  std::size_t most() const { return most_; }
  std::uint64_t evicted() const { return evicted_; }      // connections
  std::uint64_t forgotten() const { return forgotten_; }  // what Reserves have let go

 private:
  friend void reached();
  void on_mark();
  void relieve();
  void on_patience();
  bool make_room();  // if anything or anybody could go
  std::size_t let_go(std::size_t wanted);
  std::size_t evict();
  void set_mark();
  std::size_t high() const { return most_ - most_ / 8; }
  std::size_t low() const { return most_ - most_ / 4; }

  const std::size_t most_;
  const std::uint64_t patience_ms_;
  Budget* previous_;  // of this thread
  std::vector<Spender*> spenders_;
  std::uint64_t evicted_ = 0;
  std::uint64_t forgotten_ = 0;
  std::uint64_t relieved_ms_ = 0;  // the last time
  bool tight_ = false;
  net::Loop& loop_;
  net::Deferred turn_end_;
  net::Timer again_, patience_;
};

}  // namespace limpet::budget
