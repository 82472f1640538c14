// Sids: names of sessions that say which node holds them: 12 random characters (72 bits), then the node's
// tag.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

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
  std::array<unsigned char, 576> random_;  // of the kernel, 64 sids a call
  std::size_t used_ = sizeof random_;
};

}  // namespace limpet::engine
