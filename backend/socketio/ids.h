// Ids: what names a socket, or a session that may be restored: 20 characters of [A-Za-z0-9_-], 120 random
// bits, not to be guessed. Fetched from the kernel a few dozen at a time.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace limpet::socketio {

class Ids {
 public:
  static constexpr std::size_t kLength = 20;
  std::string_view next();  // good until it is called again

 private:
  static constexpr std::size_t kBytes = kLength * 3 / 4;
  std::array<unsigned char, kBytes * 32> random_{};
  std::size_t used_ = random_.size();
  std::array<char, kLength> text_{};
};

}  // namespace limpet::socketio
