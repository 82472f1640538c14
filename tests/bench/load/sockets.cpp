#include "tests/bench/load/sockets.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <system_error>

namespace limpet::bench {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::system_category(), what);
}

void set(int fd, int level, int option) {
  const int on = 1;
  if (::setsockopt(fd, level, option, &on, sizeof on) != 0) fail("setsockopt");
}

const sockaddr* raw(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

std::int64_t now_ns() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

sockaddr_in parse_address(std::string_view text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const auto colon = text.rfind(':');
  std::uint16_t port = 0;
  if (colon != text.npos) {
    const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    const std::string host(text.substr(0, colon));
    if (error == std::errc() && end == text.data() + text.size() &&
        ::inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1) {
      address.sin_port = htons(port);
      return address;
    }
  }
  throw std::runtime_error("not an IPv4 address and port: " + std::string(text));
}

std::string to_text(const sockaddr_in& address) {
  char host[INET_ADDRSTRLEN] = "";
  ::inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
  return std::string(host) + ":" + std::to_string(ntohs(address.sin_port));
}

Fd listen_on(const sockaddr_in& address) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) fail("socket");
  set(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (::bind(fd.get(), raw(address), sizeof address) != 0 || ::listen(fd.get(), 16384) != 0) {
    fail("listen on " + to_text(address));
  }
  return fd;
}

sockaddr_in bound_address(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) fail("getsockname");
  return address;
}

Fd accept_from(int listener) {
  Fd fd(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) set(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  if (!fd && (errno == EMFILE || errno == ENFILE)) fail("accept");
  return fd;
}

Fd connect_to(const sockaddr_in& target, std::uint32_t source_host) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  set(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  if (source_host != 0) {
    // The port is chosen at connect, when the target is known too: one source address has room for
    // 28 000 connections to each target.
    set(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(source_host);
    if (::bind(fd.get(), raw(source), sizeof source) != 0) return Fd();
  }
  if (::connect(fd.get(), raw(target), sizeof target) != 0 && errno != EINPROGRESS) return Fd();
  return fd;
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");
  return limit.rlim_cur;
}

void announce(const std::string& text, const std::string& file) {
  if (file.empty()) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    return;
  }
  const std::string draft = file + ".part";
  std::FILE* out = std::fopen(draft.c_str(), "w");
  if (out == nullptr) fail(draft);
  const bool written = std::fputs(text.c_str(), out) >= 0;
  if (std::fclose(out) != 0 || !written || std::rename(draft.c_str(), file.c_str()) != 0) fail(file);
}

Poller::Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_) fail("epoll_create1");
  ::prctl(PR_SET_TIMERSLACK, 1);  // the default of 50 us would be seen in paced latencies
}

void Poller::add(int fd, std::uint32_t events, void* whose) {
  epoll_event event{.events = events, .data = {.ptr = whose}};
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

void Poller::modify(int fd, std::uint32_t events, void* whose) {
  epoll_event event{.events = events, .data = {.ptr = whose}};
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event) != 0) fail("epoll_ctl");
}

std::span<epoll_event> Poller::wait(std::int64_t until) {
  timespec timeout{};
  if (until != kNever) {
    const std::int64_t left = std::max<std::int64_t>(until - now_ns(), 0);
    timeout = {.tv_sec = left / kSecond, .tv_nsec = left % kSecond};
  }
  const int count = ::epoll_pwait2(fd_.get(), events_.data(), static_cast<int>(events_.size()),
                                   until == kNever ? nullptr : &timeout, nullptr);
  if (count < 0 && errno != EINTR) fail("epoll_pwait2");
  return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

}  // namespace limpet::bench
