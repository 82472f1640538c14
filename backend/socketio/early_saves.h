// EarlySaves: sockets of one namespace whose sessions have changed since they were last saved.
//
// Where the adapter saves sessions early (adapter::Adapter::saves_early()), so that a client finds its
// session although its node has died. Owned by the namespace; one list and one timer for all its sockets.
// Those that have many rooms take turns: clients who join and leave all the time are not to fill the link to
// where sessions are saved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "backend/socketio/namespace.h"
#include "backend/socketio/socket.h"
#include "proxy/net/loop.h"

namespace limpet::socketio {

class EarlySaves {
 public:
  explicit EarlySaves(Namespace::Impl& nsp);
  EarlySaves(const EarlySaves&) = delete;

  void changed(Socket& socket);      // is saved within kWithinMs, if not much is to be saved before it
  std::size_t save(Socket& socket);  // now; how many bytes its rooms take

  static constexpr std::uint64_t kWithinMs = 300;
  static constexpr std::size_t kBytesATime = 1024 * 1024;

 private:
  void on_timer();

  Namespace::Impl& nsp_;
  std::deque<SocketPtr> changed_;
  net::Timer timer_;
};

}  // namespace limpet::socketio
