#include "tests/unit/redis/fake_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

namespace limpet::redis {

FakeServer::FakeServer(Speak speak)
    : speak_(std::move(speak)), listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ::bind(listening_, reinterpret_cast<sockaddr*>(&address), length);
  ::listen(listening_, 16);
  ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

FakeServer::~FakeServer() {
  over_ = true;
  thread_.join();
  ::close(listening_);
}

std::string FakeServer::heard() const {
  std::lock_guard lock(mutex_);
  return heard_;
}

FakeServer::Speak FakeServer::after_greeting(std::string answer) {
  return [answer = std::move(answer)](const std::string& heard) {
    return heard == "*1\r\n$4\r\nPING\r\n" ? "+PONG\r\n" : answer;
  };
}

void FakeServer::serve() {
  std::vector<pollfd> all{{listening_, POLLIN, 0}};
  while (!over_) {
    if (::poll(all.data(), all.size(), 10) <= 0) continue;
    for (std::size_t i = all.size(); i-- > 1;) {
      if (all[i].revents == 0 || talk(all[i].fd)) continue;
      ::close(all[i].fd);
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (all[0].revents == 0) continue;
    all.push_back({::accept(listening_, nullptr, nullptr), POLLIN, 0});
    ++connections_;
  }
  for (std::size_t i = 1; i < all.size(); ++i) ::close(all[i].fd);
}

// Whether the connection goes on.
bool FakeServer::talk(int fd) {
  char bytes[4096];
  const ssize_t got = ::recv(fd, bytes, sizeof(bytes), 0);
  if (got <= 0) return false;
  const std::string heard(bytes, static_cast<std::size_t>(got));
  {
    std::lock_guard lock(mutex_);
    heard_ += heard;
  }
  std::string answer = speak_(heard);
  const bool hang_up = answer.ends_with(kHangUp);
  if (hang_up) answer.pop_back();
  std::string_view rest = answer;
  while (!rest.empty() && !over_) {
    const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      rest.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, 10);
    } else {
      return false;
    }
  }
  return !hang_up;
}

}  // namespace limpet::redis
