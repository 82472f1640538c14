// Stream over Asio's reactor: Asio says when, the system calls are ours.
#include "proxy/net/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <new>
#include <utility>

#include "proxy/net/loop_impl.h"

namespace limpet::net {
namespace {

// Where one pending wait lives: inside the Core, so that waiting allocates nothing.
struct WaitSlot {
  alignas(std::max_align_t) std::byte room[160];
  bool taken = false;
};

template <class T>
struct SlotAllocator {
  using value_type = T;
  WaitSlot* slot;
  explicit SlotAllocator(WaitSlot* s) : slot(s) {}
  template <class U>
  SlotAllocator(const SlotAllocator<U>& other) : slot(other.slot) {}
  T* allocate(std::size_t n) {
    if (!slot->taken && n * sizeof(T) <= sizeof(slot->room)) {
      slot->taken = true;
      return reinterpret_cast<T*>(slot->room);
    }
    return static_cast<T*>(::operator new(n * sizeof(T)));
  }
  void deallocate(T* p, std::size_t) {
    if (static_cast<void*>(p) == slot->room) {
      slot->taken = false;
    } else {
      ::operator delete(p);
    }
  }
  template <class U>
  bool operator==(const SlotAllocator<U>& other) const {
    return slot == other.slot;
  }
};

}  // namespace

// Kept alive by its Stream and by each wait that Asio still holds; a wait that ends after close() finds no
// waiter.
struct Stream::Core {
  struct Direction {
    Delegate waiter;
    bool pending = false;  // Asio holds a wait
    WaitSlot slot;
  };

  Core(Loop& loop, int fd) : descriptor(loop.impl().io, fd) {}

  void wait(Direction& direction, asio::posix::descriptor_base::wait_type kind, Delegate then);
  void drop() {
    if (--references == 0) delete this;
  }

  Descriptor descriptor;
  int references = 1;
  Direction in;
  Direction out;
};

namespace {

template <class Core, class Direction>
struct WaitHandler {
  using allocator_type = SlotAllocator<void>;
  Core* core;
  Direction* direction;

  WaitHandler(Core* c, Direction* d) : core(c), direction(d) { ++core->references; }
  WaitHandler(WaitHandler&& other) noexcept
      : core(std::exchange(other.core, nullptr)), direction(other.direction) {}
  WaitHandler(const WaitHandler&) = delete;
  ~WaitHandler() {
    if (core) core->drop();
  }
  allocator_type get_allocator() const noexcept { return allocator_type(&direction->slot); }
  void operator()(const boost::system::error_code&) {
    direction->pending = false;
    if (const Delegate waiter = std::exchange(direction->waiter, {})) waiter();
  }
};

IoResult result_of(ssize_t got) {
  if (got > 0) return {Io::ok, 0, static_cast<std::size_t>(got)};
  if (got == 0) return {Io::eof, 0, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {Io::again, 0, 0};
  return {Io::error, errno, 0};
}

}  // namespace

void Stream::Core::wait(Direction& direction, asio::posix::descriptor_base::wait_type kind, Delegate then) {
  direction.waiter = then;
  if (direction.pending) return;  // the wait that Asio holds serves the new waiter
  direction.pending = true;
  descriptor.async_wait(kind, WaitHandler<Core, Direction>(this, &direction));
}

Stream::Stream(Loop& loop, Fd fd) : core_(new Core(loop, fd.get())) {
  fd.release();
}

Stream::~Stream() {
  close();
}

Stream::Stream(Stream&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    close();
    core_ = std::exchange(other.core_, nullptr);
  }
  return *this;
}

int Stream::fd() const {
  return core_ ? core_->descriptor.native_handle() : -1;
}

IoResult Stream::read(std::span<char> into) {
  return result_of(::recv(fd(), into.data(), into.size(), 0));
}

IoResult Stream::peek(std::span<char> into) {
  return result_of(::recv(fd(), into.data(), into.size(), MSG_PEEK));
}

IoResult Stream::write(std::span<const char> bytes) {
  const IoResult result = result_of(::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  return result.status == Io::eof ? IoResult{Io::again, 0, 0} : result;
}

IoResult Stream::write(std::span<const iovec> pieces) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  const IoResult result = result_of(::sendmsg(fd(), &message, MSG_NOSIGNAL));
  return result.status == Io::eof ? IoResult{Io::again, 0, 0} : result;
}

void Stream::wait_read(Delegate then) {
  core_->wait(core_->in, Descriptor::wait_read, then);
}
void Stream::wait_write(Delegate then) {
  core_->wait(core_->out, Descriptor::wait_write, then);
}

void Stream::cancel_read() {
  if (core_) core_->in.waiter = {};
}
void Stream::cancel_write() {
  if (core_) core_->out.waiter = {};
}

std::size_t Stream::unsent() const {
  int bytes = 0;
  if (!core_ || ::ioctl(fd(), SIOCOUTQ, &bytes) != 0) return 0;
  return static_cast<std::size_t>(bytes);
}

std::size_t Stream::appetite(std::size_t most) const {
  constexpr std::size_t kBehind = 64 * 1024, kSome = 16 * 1024, kLittle = 4 * 1024;
  const std::size_t behind = unsent();
  return behind == 0 ? most : std::min(most, behind < kBehind ? kSome : kLittle);
}

int Stream::take_error() {
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

void Stream::shutdown_write() {
  ::shutdown(fd(), SHUT_WR);
}

void Stream::close() {
  if (!core_) return;
  Core* core = std::exchange(core_, nullptr);
  core->in.waiter = core->out.waiter = {};
  boost::system::error_code ignored;
  core->descriptor.close(ignored);
  core->drop();
}

void Stream::reset() {
  if (!core_) return;
  const linger now{1, 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close();
}

Fd Stream::detach() {
  Core* core = std::exchange(core_, nullptr);
  core->in.waiter = core->out.waiter = {};
  Fd fd(core->descriptor.release());
  core->drop();
  return fd;
}

}  // namespace limpet::net
