// Sockets: the few calls on IPv4 TCP sockets that the load tool needs, a clock and an epoll set.
//
// Start-up failures are exceptions with the errno's text; on the data path a call returns what the system
// said.
#pragma once

#include <netinet/in.h>
#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "proxy/net/fd.h"

namespace limpet::bench {

using net::Fd;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::int64_t now_ns();  // CLOCK_MONOTONIC: the same for all processes of the machine

sockaddr_in parse_address(std::string_view text);  // "127.0.0.1:80"
std::string to_text(const sockaddr_in& address);

Fd listen_on(const sockaddr_in& address);
sockaddr_in bound_address(int fd);
Fd accept_from(int listener);  // empty: nobody waits
// Begins to connect. source_host is in host order, 0 for any. Empty with errno set on a failure at once.
Fd connect_to(const sockaddr_in& target, std::uint32_t source_host);

// Raises the soft limit of descriptors to the hard one and says what is allowed.
std::size_t raise_descriptor_limit();

// Tells who started us where we listen: on standard output, or in a file that appears whole.
void announce(const std::string& text, const std::string& file);

class Poller {
 public:
  Poller();
  void add(int fd, std::uint32_t events, void* whose);
  void modify(int fd, std::uint32_t events, void* whose);
  // Waits until `until` (CLOCK_MONOTONIC) at most, kNever for no limit. Valid until the next call.
  std::span<epoll_event> wait(std::int64_t until);

 private:
  Fd fd_;
  std::array<epoll_event, 512> events_;
};

}  // namespace limpet::bench
