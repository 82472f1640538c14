// Restarts: when a child that ended is started again. Exponential, with jitter, so that children which fell
// together do not rise together; a crash loop is held back. Pure: time and randomness are handed in.
#pragma once

#include <cstdint>

namespace limpet::bundle {

class Restarts {
 public:
  struct Settings {
    std::uint64_t first_ms = 100;  // after the first end; doubled each time
    std::uint64_t most_ms = 10'000;
    double jitter = 0.25;              // of the delay, either way
    std::uint64_t stable_ms = 10'000;  // who was ready for this long has failed for a reason of its own
    std::uint32_t crash_loop = 5;      // ends in a row, none after a stable time
    std::uint64_t held_ms = 60'000;    // between tries of a crash loop
  };
  Restarts() = default;
  explicit Restarts(const Settings& settings) : settings_(settings) {}

  struct Verdict {
    std::uint64_t delay_ms = 0;
    bool held = false;
    std::uint32_t failures = 0;   // in a row, this one included
    std::uint64_t within_ms = 0;  // since the first of them
  };
  void ended_as_asked(std::uint64_t now_ms);  // no failure; a stable life forgives those before it
  void became_ready(std::uint64_t now_ms) { ready_since_ms_ = now_ms + 1; }
  Verdict ended(std::uint64_t now_ms, double random);  // random: 0 to 1
  void forgive() { failures_ = 0; }

 private:
  Settings settings_;
  std::uint32_t failures_ = 0;
  std::uint64_t first_failure_ms_ = 0;
  std::uint64_t ready_since_ms_ = 0;  // plus 1; 0: it is not
};

}  // namespace limpet::bundle
