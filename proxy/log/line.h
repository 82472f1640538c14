// Line: one access line under construction, in a fixed buffer. What does not fit is cut with a visible mark.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/log/escape.h"

namespace limpet::log {

class Line {
 public:
  static constexpr std::size_t kMost = 4096;

  void clear() { size_ = 0; }
  void put(std::string_view plain);  // ours: not escaped
  void put(std::uint64_t number);
  void put_ms(std::uint64_t us);                                  // "12.345"
  void put_time();                                                // UTC, "2026-11-24T14:00:01.123Z"
  void put_escaped(std::string_view text, Style style, std::size_t most);  // cut to `most` bytes: "..."
  std::string_view finish();                                      // with the line's end

 private:
  char bytes_[kMost];
  std::size_t size_ = 0;
};

}  // namespace limpet::log
