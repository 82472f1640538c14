#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "proxy/net/connect.h"

namespace limpet::net {
namespace {

void set_int(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

}  // namespace

void tune_socket(int fd, int family) {
  if (family != AF_INET && family != AF_INET6) return;
  set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
  set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

bool is_local_shortage(int error) {
  switch (error) {
    case EADDRNOTAVAIL:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EAGAIN:  // connect(2): no free ephemeral port
      return true;
    default: return false;
  }
}

ConnectStart start_connect(Loop& loop, const Address& to, const wire::IpAddress* from) {
  Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return {{}, errno, false, false};
  tune_socket(fd.get(), to.family());
  if (from != nullptr) {
    // The port is chosen at connect, by the whole four-tuple, not at bind.
    set_int(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    const Address local = Address::ip(*from, 0);
    if (::bind(fd.get(), local.raw(), local.length()) != 0) return {{}, errno, false, false};
  }
  if (::connect(fd.get(), to.raw(), to.length()) == 0) return {Stream(loop, std::move(fd)), 0, true, false};
  if (errno == EAGAIN && to.is_unix()) return {{}, EAGAIN, false, true};
  if (errno != EINPROGRESS) return {{}, errno, false, false};
  return {Stream(loop, std::move(fd)), 0, false, false};
}

}  // namespace limpet::net
