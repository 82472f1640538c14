#include "proxy/net/stream.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "proxy/net/loop_impl.h"

namespace limpet::net {
namespace {

IoResult result_of(ssize_t got) {
  if (got > 0) return {Io::ok, 0, static_cast<std::size_t>(got)};
  if (got == 0) return {Io::eof, 0, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {Io::again, 0, 0};
  return {Io::error, errno, 0};
}

bool would_wait(ssize_t got) {
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

Stream::Stream(Loop& loop, Fd fd) : watch_(loop.impl().watch(fd.get())) {
  fd.release();
}

Stream::~Stream() {
  close();
}

Stream::Stream(Stream&& other) noexcept : watch_(std::exchange(other.watch_, nullptr)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    close();
    watch_ = std::exchange(other.watch_, nullptr);
  }
  return *this;
}

int Stream::fd() const {
  return watch_ ? watch_->fd : -1;
}

// What comes after a short read comes with an edge. Only an end that was announced before it has none any
// more.
IoResult Stream::read(std::span<char> into) {
  const ssize_t got = ::recv(fd(), into.data(), into.size(), 0);
  const bool all = got > 0 && static_cast<std::size_t>(got) < into.size() && !watch_->ending;
  if (all || would_wait(got)) watch_->readable = false;
  return result_of(got);
}

IoResult Stream::peek(std::span<char> into) {
  const ssize_t got = ::recv(fd(), into.data(), into.size(), MSG_PEEK);
  if (would_wait(got)) watch_->readable = false;
  return result_of(got);
}

void Stream::drained() {
  watch_->readable = false;
}

IoResult Stream::write(std::span<const char> bytes) {
  const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  return write(std::span(&piece, 1));
}

IoResult Stream::write(std::span<const iovec> pieces) {
  std::size_t size = 0;
  for (const iovec& each : pieces) size += each.iov_len;
  ssize_t sent;
  if (pieces.size() == 1) {
    sent = ::send(fd(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
  } else {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    sent = ::sendmsg(fd(), &message, MSG_NOSIGNAL);
  }
  // Room comes with an edge, too.
  if (would_wait(sent) || (sent >= 0 && static_cast<std::size_t>(sent) < size)) watch_->writable = false;
  const IoResult result = result_of(sent);
  return result.status == Io::eof ? IoResult{Io::again, 0, 0} : result;
}

void Stream::wait_read(Delegate then) {
  watch_->loop->wait_read(*watch_, then);
}
void Stream::wait_write(Delegate then) {
  watch_->loop->wait_write(*watch_, then);
}

void Stream::cancel_read() {
  if (watch_) watch_->reader = {};
}
void Stream::cancel_write() {
  if (watch_) watch_->writer = {};
}

std::size_t Stream::unsent() const {
  int bytes = 0;
  if (!watch_ || ::ioctl(fd(), SIOCOUTQ, &bytes) != 0) return 0;
  return static_cast<std::size_t>(bytes);
}

std::size_t Stream::appetite(std::size_t most) const {
  constexpr std::size_t kLittle = 4 * 1024;
  std::uint32_t memory[SK_MEMINFO_VARS];
  socklen_t length = sizeof(memory);
  if (!watch_ || ::getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, memory, &length) != 0)
    return std::min(most, kLittle);
  const std::uint32_t all = memory[SK_MEMINFO_SNDBUF], taken = memory[SK_MEMINFO_WMEM_QUEUED];
  const std::size_t room = all > taken ? (all - taken) / 2 : 0;  // half is the kernel's own
  return std::min(most, std::max(room, kLittle));
}

int Stream::take_error() {
  if (!watch_->ending) return 0;  // an error is announced
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

void Stream::shutdown_write() {
  ::shutdown(fd(), SHUT_WR);
}

void Stream::close() {
  if (!watch_) return;
  ::close(fd());  // the set forgets it by itself
  watch_->loop->retire(*std::exchange(watch_, nullptr));
}

void Stream::reset() {
  if (!watch_) return;
  const linger now{1, 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close();
}

// One call, where leaving one set and entering another would be two. The kernel looks again at what holds.
Fd Stream::move_to_guest(std::uint64_t token, bool& taken) {
  constexpr std::uint32_t kInterest = EPOLLET | EPOLLIN | EPOLLOUT | EPOLLRDHUP;
  Watch& watch = *std::exchange(watch_, nullptr);
  Fd fd(watch.fd);
  epoll_event event{kInterest, {.u64 = token}};
  const int what = watch.interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  taken = ::epoll_ctl(watch.loop->set.get(), what, fd.get(), &event) == 0;
  if (!taken && watch.interest != 0) ::epoll_ctl(watch.loop->set.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
  watch.loop->retire(watch);
  return fd;
}

}  // namespace limpet::net
