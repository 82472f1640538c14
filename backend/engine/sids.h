// Sids: names of sessions that say which node holds them: 12 random characters (72 bits), then the node's
// tag.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "backend/names/random_text.h"

namespace limpet::engine {

class Sids {
 public:
  static constexpr std::size_t kSize = 20;
  static constexpr std::size_t kRandom = 12;

  explicit Sids(std::string_view node_id);
  void next(char (&sid)[kSize]);
  std::string_view tag() const { return tag_; }

 private:
  const std::string tag_;
  names::RandomText random_;
};

}  // namespace limpet::engine
