// Which rooms have channels of their own with the sharded adapter, as Node.js's has it. Pure.
//
// A publisher cannot know whether a room is some node's socket: it takes every text of 20 characters for one.
// So a public room of 20 characters goes by the channel of all; and the id of a socket that is not that long
// (a Socket.IO 2.x client's, outside of "/") by the room's own, to which Node.js's nodes do not listen, and
// this one does.
#pragma once

#include <string_view>

#include "backend/cluster/cluster.h"

namespace limpet::cluster {

bool publishes_to_room(SubscriptionMode mode, std::string_view room);
bool listens_to_socket(SubscriptionMode mode, std::string_view id);

}  // namespace limpet::cluster
