#include "backend/socketio/early_saves.h"

#include <string>
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
std::size_t EarlySaves::save(Socket& socket) {
  socket.unsaved_ = false;
  if (socket.state_ != Socket::State::connected || socket.revision() == 3) return 0;
  adapter::Session session = socket.session();
  session.live = true;
  std::size_t bytes = 0;
  for (const std::string& room : session.rooms) bytes += room.size();
  nsp_.adapter->persist(std::move(session));
  return bytes;
}

void EarlySaves::on_timer() {
  for (std::size_t bytes = 0; !changed_.empty() && bytes < kBytesATime;) {
    const SocketPtr socket = std::move(changed_.front());
    changed_.pop_front();
    if (socket->unsaved_) bytes += save(*socket);
  }
  if (!changed_.empty()) timer_.after(kWithinMs);
}

}  // namespace limpet::socketio
