#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "proxy/net/connect.h"

#include "proxy/net/descriptor_turn.h"

namespace limpet::net {
namespace {

void set_int(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

bool allow_fast_open(int fd) {
  const int on = 1;
  return ::setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)) == 0;
}

bool is_loopback(const Address& address) {
  const auto ip = address.ip_address();
  return ip && ip->is_loopback();
}

// 0, or the errno with which the connect has failed: nothing of `bytes` has left then.
int send_early(int fd, std::string_view bytes, ConnectStart& start) {
  const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent > 0) start.early_sent = static_cast<std::size_t>(sent);
  return sent < 0 && errno != EINPROGRESS && errno != EAGAIN ? errno : 0;
}

ConnectStart failed(int error) {
  ConnectStart start;
  start.error = error;
  return start;
}

}  // namespace

void tune_socket(int fd, const Address& address) {
  const auto ip = address.ip_address();
  if (!ip) return;
  set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
  if (ip->is_loopback()) return;  // this host does not vanish from itself; four system calls a connect
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

ConnectStart start_connect(Loop& loop, const Address& to, const wire::IpAddress* from, const Early& early) {
  DescriptorTurn turn;
  Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return failed(errno);
  turn.end();
  tune_socket(fd.get(), to);
  if (from != nullptr) {
    // The port is chosen at connect, by the whole four-tuple, not at bind.
    set_int(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    const Address local = Address::ip(*from, 0);
    if (::bind(fd.get(), local.raw(), local.length()) != 0) return failed(errno);
  }
  // Where the kernel will not, or has no cookie of the server yet, it is a connect like any other.
  const bool fast = early.with_syn && !early.bytes.empty() && !to.is_unix() && allow_fast_open(fd.get());
  ConnectStart start;
  if (::connect(fd.get(), to.raw(), to.length()) != 0) {
    if (errno == EAGAIN && to.is_unix()) start.busy = true;
    if (errno != EINPROGRESS) {
      start.error = errno;
      return start;
    }
    const bool near = !fast && !early.bytes.empty() && is_loopback(to);
    const int error = near ? send_early(fd.get(), early.bytes, start) : 0;
    if (error != 0) return failed(error);
    start.done = start.early_sent > 0;
  } else if (fast) {
    // Nothing was sent: the SYN leaves with the first write, and only then there is something to wait for.
    const int error = send_early(fd.get(), early.bytes, start);
    if (error != 0) return failed(error);
  } else {
    start.done = true;
  }
  start.stream = Stream(loop, std::move(fd));
  return start;
}

}  // namespace limpet::net
