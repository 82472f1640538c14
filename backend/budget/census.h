// Who has to go so that enough memory comes free: the largest first, found in two walks over all connections
// without a list of them. Sizes are told apart by powers of two. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace limpet::budget {

// The first walk: how much is held in each size.
class Census {
 public:
  void count(std::size_t bytes) { sums_[size_of(bytes)] += bytes; }

 private:
  friend class Eviction;
  static std::size_t size_of(std::size_t bytes) { return static_cast<std::size_t>(std::bit_width(bytes)); }
  std::array<std::size_t, 65> sums_{};
};

// The second: asked of each connection, in any order. Who holds less than `least` stays.
class Eviction {
 public:
  Eviction(const Census& census, std::size_t wanted, std::size_t least) : left_(wanted), least_(least) {
    while (size_ > 0 && census.sums_[size_] < left_) left_ -= census.sums_[size_--];
  }
  // True: it goes.
  bool take(std::size_t bytes) {
    const std::size_t size = Census::size_of(bytes);
    if (bytes < least_ || size < size_ || (size == size_ && left_ == 0)) return false;
    if (size == size_) left_ -= std::min(left_, bytes);
    ++taken_;
    return true;
  }
  std::size_t taken() const { return taken_; }

 private:
  std::size_t size_ = 64;  // all that are larger go, and of these as many as it takes
  std::size_t left_;
  const std::size_t least_;
  std::size_t taken_ = 0;
};

}  // namespace limpet::budget
