// RoomSet: the rooms of a session that is restored: thousands, and looked for in each packet that is kept.
// Views of its names, which outlive it.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/names/hash.h"

namespace limpet::adapter {

class RoomSet {
 public:
  RoomSet() = default;
  explicit RoomSet(const std::vector<std::string>& names) : names_(names.begin(), names.end()) {}

  bool hears(const Target& target) const {
    return (target.rooms.empty() || any_of(target.rooms)) && !any_of(target.except);
  }

 private:
  bool any_of(const std::vector<std::string>& rooms) const {
    return std::any_of(rooms.begin(), rooms.end(), [&](const auto& room) { return names_.contains(room); });
  }

  std::unordered_set<std::string_view, names::Hash> names_;
};

}  // namespace limpet::adapter
