// Line: one access line under construction, in a fixed buffer. What does not fit is cut with a visible mark.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proxy/log/escape.h"

namespace limpet::log {

class Line {
 public:
  static constexpr std::size_t kMost = 4096;  // with its end

  // Ours: not escaped. Inline, because most of a line is names whose length is known here.
  void put(std::string_view plain) {
    const std::size_t count = std::min(plain.size(), kMost - kEnd - size_);
    std::memcpy(bytes_ + size_, plain.data(), count);
    size_ += count;
  }
  void put(std::uint64_t number);
  void put_ms(std::uint64_t us);  // "12.345"
  void put_time();                // now, UTC: "2026-11-24T14:00:01.123Z"
  // At most `most` bytes of it; what was cut off ends in "...".
  void put_escaped(std::string_view text, Style style, std::size_t most);
  std::string_view finish();  // with the line's end

 private:
  static constexpr std::size_t kEnd = 1;  // always left for the line's end
  std::size_t size_ = 0;
  char bytes_[kMost];  // not cleared: a line is made on the stack
};

}  // namespace limpet::log
