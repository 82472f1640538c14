#include "backend/cluster/channel_rule.h"

#include "backend/cluster/javascript_text.h"
#include "backend/cluster/room_name.h"

namespace limpet::cluster {
namespace {

constexpr std::size_t kIdLength = 20;

bool looks_like_an_id(std::string_view room) {
  const bool is_text = room_in_channel(room).size() == room.size();
  return is_text && utf16_size(room) == kIdLength;
}

}  // namespace

bool publishes_to_room(SubscriptionMode mode, std::string_view room) {
  switch (mode) {
    case SubscriptionMode::static_: return false;
    case SubscriptionMode::dynamic: return !looks_like_an_id(room);
    case SubscriptionMode::dynamic_private: return true;
  }
  return false;
}

bool listens_to_socket(SubscriptionMode mode, std::string_view id) {
  return publishes_to_room(mode, id);
}

}  // namespace limpet::cluster
