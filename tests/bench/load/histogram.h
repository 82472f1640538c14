// Histogram: durations in log-linear buckets: fixed size, and no value is off by 1 % or more.
//
// Values below 128 have a bucket each; above, every power of two is cut into 128, so that a bucket is at most
// 1/128 of its value wide and its middle is within 0.4 % of what was recorded.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace limpet::bench {

class Histogram {
 public:
  void record(std::int64_t value) {
    const auto clean = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
    ++buckets_[index_of(clean)];
    ++count_;
    max_ = std::max(max_, clean);
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }  // exact

  // The value that `share` (0 to 1) of the recorded ones do not exceed; 0 if there are none.
  std::uint64_t percentile(double share) const {
    if (count_ == 0) return 0;
    const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen >= std::max<std::uint64_t>(rank, 1)) return std::min(middle_of(i), max_);
    }
    return max_;
  }

 private:
  static constexpr int kBits = 7;
  static constexpr std::uint64_t kPerPower = 1u << kBits;

  static std::size_t index_of(std::uint64_t value) {
    if (value < kPerPower) return static_cast<std::size_t>(value);
    const int shift = std::bit_width(value) - 1 - kBits;
    return static_cast<std::size_t>((static_cast<std::uint64_t>(shift) << kBits) + (value >> shift));
  }

  static std::uint64_t middle_of(std::size_t index) {
    if (index < 2 * kPerPower) return index;
    const std::size_t shift = (index >> kBits) - 1;
    const std::uint64_t lowest = (index - (shift << kBits)) << shift;
    return lowest + (std::uint64_t{1} << shift) / 2;
  }

  std::array<std::uint64_t, (64 - kBits + 1) * kPerPower> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace limpet::bench
