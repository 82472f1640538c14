#include "backend/socketio/early_saves.h"

#include <utility>

#include "backend/socketio/client.h"
#include "backend/socketio/namespace_impl.h"
#include "backend/socketio/socket_extras.h"

namespace limpet::socketio {

EarlySaves::EarlySaves(Namespace::Impl& nsp)
    : nsp_(nsp), timer_(nsp.loop(), net::delegate<&EarlySaves::on_timer>(this)) {}

void EarlySaves::changed(Socket& socket) {
  if (std::exchange(socket.unsaved_, true)) return;
  changed_.emplace_back(&socket);
  if (!timer_.armed()) timer_.after(kWithinMs);
}

// A Socket.IO 2.x client is not told of its session.
void EarlySaves::save(Socket& socket) {
  if (socket.state_ != Socket::State::connected || socket.revision() == 3) return;
  const Socket::Extras& extras = socket.extras();
  nsp_.adapter->persist({std::string(socket.id()), extras.pid, socket.rooms(), extras.data, true});
}

void EarlySaves::on_timer() {
  for (const SocketPtr& socket : std::exchange(changed_, {})) {
    socket->unsaved_ = false;
    save(*socket);
  }
}

}  // namespace limpet::socketio
