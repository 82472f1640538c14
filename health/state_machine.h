// StateMachine: what one server's probes and connects say of it. Pure: time, randomness and the rest of the
// pool are handed in. The operator's word (draining, maintenance) is kept elsewhere.
//
//             one probe unanswered                `fall` unanswered in a row
//        up ────────────────────────► suspect ────────────────────────────────► down
//        ▲ ◄──── its first good probe ───┘                                       │ ▲ two failed connects in a
//        │ ◄──── `rise` good probes (more while it flaps; one if all are down) ──┘ │ row, from any state
//        │                                                                         │
//        └─ `rise` good ── refusing ◄── answers, but not as expected, from any ────┘
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "health/settings.h"
#include "routing/server.h"

namespace limpet::health {

enum class Result : std::uint8_t {
  passed,
  wrong,           // answered, but not as expected
  silent,          // no answer until the deadline
  connect_failed,  // refused, unreachable
};

class StateMachine {
 public:
  // Since the start of the process, and then up until a probe says otherwise; or added later, and then
  // without new sessions until one has passed.
  enum class Since : std::uint8_t { start, later };
  // `settings` outlives it.
  explicit StateMachine(const Settings& settings, Since since = Since::start)
      : settings_(settings),
        state_(since == Since::start ? routing::State::up : routing::State::refusing),
        added_(since == Since::later) {}

  struct Step {
    bool changed = false;
    routing::State from = routing::State::up;
    bool slow_start = false;  // came up again: from 10 % of its weight
  };
  // `text` says what was seen, for the reason. `pool_down`: every server of the pool is down.
  // `failed_in_a_row`: of a connect_failed, how many of the server's connects have failed since one
  // succeeded, workers' included.
  Step on_probe(Result result, std::string_view text, std::uint64_t now_ms, bool pool_down,
                std::uint32_t failed_in_a_row);
  // A worker's connect failed, the `in_a_row`-th one of the server's connects.
  Step on_connect_failed(std::uint32_t in_a_row, std::string_view text, std::uint64_t now_ms);
  // Its name does not resolve: down until it does, then probed afresh.
  Step on_unresolved(std::string_view text, std::uint64_t now_ms);

  // How long after a result the next probe begins. `random` is uniform in [0, 1).
  std::uint64_t next_delay_ms(double random, bool pool_down) const;

  routing::State state() const { return state_; }
  const std::string& reason() const { return reason_; }
  bool probed() const { return probed_; }  // a first result is there
  bool ever_passed() const { return ever_passed_; }
  std::uint32_t passed_in_a_row() const { return passed_; }
  std::uint32_t silent_in_a_row() const { return silent_; }
  std::uint32_t needed() const;                        // good probes in a row to come up
  std::uint32_t downs() const { return down_count_; }  // in the last minute, when it last went down

  static constexpr std::uint64_t kFlapWindowMs = 60'000;
  static constexpr std::uint32_t kFlapDowns = 3;  // in the window: from then on `rise` doubles with each
  static constexpr std::uint32_t kConnectsDown = 2;

 private:
  Step move_to(routing::State next, std::string reason, std::uint64_t now_ms);
  Step first_result(Result result, std::string_view text, std::uint64_t now_ms);
  Step on_passed(std::string_view text, std::uint64_t now_ms, bool pool_down);
  Step on_silent(std::string_view text, std::uint64_t now_ms);
  void note_down(std::uint64_t now_ms);

  const Settings& settings_;
  routing::State state_;
  std::string reason_ = "not probed yet";
  std::uint32_t passed_ = 0;
  std::uint32_t silent_ = 0;
  std::uint32_t connects_failed_ = 0;
  std::uint32_t down_count_ = 0;
  std::array<std::uint64_t, 16> down_at_{};  // a ring of the last times
  std::size_t down_next_ = 0;
  std::size_t down_kept_ = 0;
  bool probed_ = false;
  bool ever_passed_ = false;
  bool unresolved_ = false;
  bool added_;  // and not up yet
};

std::string_view name_of(routing::State state);    // "up", "suspect", "refusing", "down"
std::string_view name_of(routing::Wanted wanted);  // "serving", "draining", "maintenance", "leaving"

}  // namespace limpet::health
