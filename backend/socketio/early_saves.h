// EarlySaves: sockets of one namespace whose sessions have changed since they were last saved.
//
// Where the adapter saves sessions early (adapter::Adapter::saves_early()), so that a client finds its
// session although its node has died. Owned by the namespace; one list and one timer for all its sockets.
#pragma once

#include <vector>

#include "backend/socketio/namespace.h"
#include "backend/socketio/socket.h"
#include "proxy/net/loop.h"

namespace limpet::socketio {

class EarlySaves {
 public:
  explicit EarlySaves(Namespace::Impl& nsp);
  EarlySaves(const EarlySaves&) = delete;

  void changed(Socket& socket);  // is saved within kWithinMs
  void save(Socket& socket);     // now

  static constexpr std::uint64_t kWithinMs = 300;

 private:
  void on_timer();

  Namespace::Impl& nsp_;
  std::vector<SocketPtr> changed_;
  net::Timer timer_;
};

}  // namespace limpet::socketio
