// The events of the bundled node, in every namespace that it serves:
//
//   echo(x, ack)               -> ack(x)
//   who(ack)                   -> ack(id of the node)
//   join(room, ack)            -> ack(), leave(room, ack) likewise
//   broadcast(room, data)      -> message(data) to all in the room, whoever sends it
//   user(userId, event, data)  -> event(data) to all sockets of that user
//
// What is wrong with the arguments is told to the ack, if there is one, as { error: "why" }; nothing else
// happens then.
#pragma once

#include <memory>
#include <string>

#include "backend/app/token.h"
#include "backend/presence/presence.h"
#include "backend/socketio/server.h"

namespace limpet::app {

// Admits sockets as identity.h says, puts each in the room of its user, and serves the events. `presence`,
// which outlives the namespace, is told of users' sockets; null: nobody is.
void serve_events(socketio::Namespace& nsp, std::string node_id, std::shared_ptr<const TokenVerifier> tokens,
                  presence::Presence* presence);

}  // namespace limpet::app
