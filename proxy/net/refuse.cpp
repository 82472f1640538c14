#include "proxy/net/refuse.h"

#include <sys/socket.h>

namespace limpet::net {

std::size_t answer_and_close(Fd connection, std::string_view answer) {
  constexpr int kMostReads = 4;
  char unread[16 * 1024];
  for (int i = 0; i < kMostReads; ++i) {
    if (::recv(connection.get(), unread, sizeof(unread), MSG_DONTWAIT) <= 0) break;
  }
  const ssize_t sent = ::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(connection.get(), SHUT_WR);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

}  // namespace limpet::net
