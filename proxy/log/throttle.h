// Throttle: lines that strangers can cause, at a rate that a disk bears. Pure; the time is handed in.
//
//   if (const auto left_out = throttle.admit(now_ms)) log::warn("...{}", *left_out);
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace limpet::log {

class Throttle {
 public:
  constexpr Throttle(std::uint32_t lines, std::uint64_t window_ms) : lines_(lines), window_ms_(window_ms) {}

  // Nothing: the line is left out. Else how many have been since the last that was written.
  std::optional<std::uint64_t> admit(std::uint64_t now_ms) {
    if (written_ == 0 || now_ms - since_ms_ >= window_ms_) {
      since_ms_ = now_ms;
      written_ = 0;
    }
    if (written_ == lines_) {
      ++left_out_;
      return std::nullopt;
    }
    ++written_;
    return std::exchange(left_out_, 0);
  }

 private:
  std::uint32_t lines_;
  std::uint64_t window_ms_;
  std::uint64_t since_ms_ = 0;
  std::uint32_t written_ = 0;  // since then
  std::uint64_t left_out_ = 0;
};

}  // namespace limpet::log
