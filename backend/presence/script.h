// Script: Lua that Redis runs: by its hash, and in full where Redis does not know it yet. One script for all
// that is to stay in order: then all calls before the one in full fail alike, and are made again in order.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "backend/redis/redis.h"

namespace limpet::presence {

class Script {
 public:
  explicit Script(std::string_view text);

  using Parts = std::initializer_list<std::string_view>;
  void run(redis::Redis& redis, Parts keys, Parts arguments, redis::Done done) const;

 private:
  std::shared_ptr<const std::string> text_;  // calls that are under way keep it
  std::string hash_;
};

}  // namespace limpet::presence
