#include "proxy/admin/client.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <charconv>
#include <cstring>

#include "proxy/net/fd.h"

namespace limpet::admin {
namespace {

constexpr timeval kPatience{10, 0};
constexpr std::size_t kMostAnswer = 64 * 1024 * 1024;

Fetched failed(const net::Address& address, const char* step) {
  return {0, {}, address.text() + ": " + step + ": " + std::strerror(errno)};
}

}  // namespace

Fetched fetch(const net::Address& address, std::string_view method, std::string_view path) {
  const net::Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return failed(address, "socket");
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  if (::connect(fd.get(), address.raw(), address.length()) != 0) return failed(address, "connect");
  std::string request(method);
  request += ' ';
  request += path;
  request += " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return failed(address, "send");
  }
  std::string answer;
  char bytes[16 * 1024];
  while (answer.size() < kMostAnswer) {
    const ssize_t got = ::recv(fd.get(), bytes, sizeof(bytes), 0);
    if (got < 0 && errno == EAGAIN) return {0, {}, address.text() + ": no answer within 10 s"};
    if (got < 0) return failed(address, "receive");
    if (got == 0) break;
    answer.append(bytes, static_cast<std::size_t>(got));
  }
  constexpr std::string_view kStart = "HTTP/1.1 ";
  const std::size_t end = answer.find("\r\n\r\n");
  Fetched result;
  if (!answer.starts_with(kStart) || end == std::string::npos) {
    result.error = address.text() + ": the answer is not limpet's";
    return result;
  }
  std::from_chars(answer.data() + kStart.size(), answer.data() + kStart.size() + 3, result.status);
  result.body = answer.substr(end + 4);
  // Its own end may be missing: the process was killed, or told to stop at once.
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t length = answer.find(kLength);
  std::size_t promised = 0;
  if (length < end) std::from_chars(&answer[length + kLength.size()], &answer[end], promised);
  if (length > end || promised != result.body.size())
    return {0, {}, address.text() + ": the answer is not whole"};
  return result;
}

}  // namespace limpet::admin
