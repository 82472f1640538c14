// Bucket: how much one client may still ask for: at first, and after a second's rest, as much as it may in a
// second. Pure: time is handed in, it never runs backwards.
#pragma once

#include <algorithm>
#include <cstdint>

namespace limpet::socketio {

class Bucket {
 public:
  Bucket(std::uint32_t a_second, std::uint64_t now_ms) : credit_(full(a_second)), at_ms_(now_ms) {}

  // Takes one. 0, or for how many milliseconds nothing more should be taken: for one, or for a burst, so that
  // nobody has to be woken for each.
  std::uint64_t take(std::uint32_t a_second, std::uint64_t now_ms) {
    const std::uint64_t earned = std::min(now_ms - at_ms_, kSecond) * a_second;
    at_ms_ = now_ms;
    credit_ = std::min(credit_ + earned, full(a_second));
    credit_ -= std::min(credit_, kSecond);
    if (credit_ >= kSecond) return 0;
    const std::uint64_t enough = std::max(kSecond, kBurstMs * a_second);
    return (enough - credit_ + a_second - 1) / a_second;
  }

 private:
  static constexpr std::uint64_t kSecond = 1000;  // in ms, and so one event in thousandths
  static constexpr std::uint64_t kBurstMs = 50;
  static std::uint64_t full(std::uint32_t a_second) { return kSecond * a_second; }

  std::uint64_t credit_;  // in thousandths, so that no part of a millisecond is lost
  std::uint64_t at_ms_;
};

}  // namespace limpet::socketio
