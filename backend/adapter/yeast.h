// Yeast: offsets of packets: the time in base 64, and a counter where two fall into one millisecond
// ("OsK1Zo3", "OsK1Zo3.0"). Each is larger than the one before, even if the clock is set back. Pure: time is
// handed in.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace limpet::adapter {

class Yeast {
 public:
  struct Stamp {
    std::uint64_t ms = 0;
    std::uint64_t count = 0;  // 0: the first of its millisecond
    auto operator<=>(const Stamp&) const = default;
    std::string text() const;
  };
  Stamp next(std::uint64_t now_ms);
  static std::optional<Stamp> read(std::string_view text);  // what text() has written, and nothing else

 private:
  Stamp last_;
};

}  // namespace limpet::adapter
