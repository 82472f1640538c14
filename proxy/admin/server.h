// Server: admin's HTTP on its own address, a Unix socket (mode 0600) or loopback. Control thread.
//
// One request a connection, each under one deadline, at most 64 at once: one more ends the
// oldest, so that nobody is locked out by connections that only wait. On TCP a browser could be made to
// ask: a request with a foreign Host, an Origin or a cross-site fetch is refused.
#pragma once

#include <memory>

#include "proxy/admin/api.h"
#include "proxy/net/address.h"
#include "proxy/net/fd.h"
#include "proxy/net/loop.h"

namespace limpet::admin {

class Server {
 public:
  Server(net::Loop& loop, net::Fd listening, const net::Address& address, Source& source);
  ~Server();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::admin
