// Server: admin's HTTP on its own address, a Unix socket (mode 0600) or loopback. Control thread.
//
// One request a connection, each under one deadline, at most 64 at once. On TCP a browser could be made to
// ask: a request with a foreign Host, an Origin or a cross-site fetch is refused.
#pragma once

#include <memory>

#include "proxy/admin/api.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"

namespace limpet::admin {

class Server {
 public:
  Server(net::Loop& loop, net::BoundListener listener, Source& source);
  ~Server();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::admin
