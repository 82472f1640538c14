// Ids: what names a socket, or a session that may be restored: 20 characters of [A-Za-z0-9_-], 120 random
// bits, not to be guessed.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "backend/names/random_text.h"

namespace limpet::socketio {

class Ids {
 public:
  static constexpr std::size_t kLength = 20;
  std::string_view next() {  // good until it is called again
    random_.write(text_);
    return {text_.data(), text_.size()};
  }

 private:
  names::RandomText random_;
  std::array<char, kLength> text_{};
};

}  // namespace limpet::socketio
