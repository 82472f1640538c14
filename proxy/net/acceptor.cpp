// Acceptor: see listener.h. Level-triggered in effect: each wait looks at the queue again.
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>

#include "proxy/net/counter.h"
#include "proxy/net/descriptor_turn.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop_impl.h"
#include "proxy/net/refuse.h"
#include "proxy/net/stream.h"

namespace limpet::net {
namespace {

constexpr int kMostAtTheEnd = 4096;      // a backlog's worth: new ones come as fast as they are taken
constexpr int kBatch = 64;               // accepted in one wake-up before other work gets its turn
constexpr std::uint64_t kBackOffMs = 5;  // when nothing can be accepted: 200 looks a second at most

constexpr std::string_view kNoDescriptors =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Type: text/plain\r\n"
    "Content-Length: 37\r\n\r\n503 no connection is free, try again\n";

enum class Next : std::uint8_t { more, empty, stuck };

bool out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE;
}

Fd open_reserve() {
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

struct Acceptor::Impl : std::enable_shared_from_this<Acceptor::Impl> {
  Impl(Loop& loop, Fd fd, OnAccept accept)
      : listening(loop, std::move(fd)),
        on_accept(std::move(accept)),
        back_off(loop, delegate<&Impl::wait>(this)) {}

  void wait() {
    if (listening) listening.wait_read(delegate<&Impl::on_ready>(this));
  }

  void on_ready() {
    const auto alive = shared_from_this();  // on_accept may destroy the Acceptor
    const Next next = accept_some(kBatch);
    if (next == Next::empty && listening) listening.drained();
    if (next == Next::stuck) {
      back_off.after(kBackOffMs);
    } else {
      wait();
    }
  }

  Next accept_some(int most) {
    Next next = Next::more;
    for (int i = 0; i < most && listening && next == Next::more; ++i) next = accept_one();
    return next;
  }

  Next accept_one() {
    Address peer;
    socklen_t length = Address::kCapacity;
    DescriptorTurn turn;
    Fd fd(::accept4(listening.fd(), peer.raw(), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      turn.end();
      peer.set_length(length);
      on_accept(std::move(fd), peer);
      return Next::more;
    }
    if (out_of_descriptors(errno)) {
      turn.insist();
      return refuse_one();
    }
    if (errno == ENOBUFS || errno == ENOMEM) return Next::stuck;
    // Any other error is of a connection that ended before it was accepted; the next may be sound.
    return errno == EAGAIN || errno == EWOULDBLOCK ? Next::empty : Next::more;
  }

  // Without a free descriptor accept4() fails before it looks at the queue, so a reserve makes room for one.
  // There are several, because another thread may take the room where it does not wait for its turn (a log
  // file, a name to resolve).
  Next refuse_one() {
    for (Fd& each : reserves) {
      if (!each) each = open_reserve();
      if (!each) continue;
      each.reset();
      const Next next =
          refuse_with(Fd(::accept4(listening.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)));
      each = open_reserve();
      if (next != Next::stuck) return next;
    }
    return Next::stuck;
  }

  Next refuse_with(Fd fd) {
    if (!fd) return errno == EAGAIN || errno == EWOULDBLOCK ? Next::empty : Next::stuck;
    answer_and_close(std::move(fd), kNoDescriptors);
    refused.add();
    return Next::more;
  }

  Stream listening;
  OnAccept on_accept;
  Timer back_off;
  std::array<Fd, 4> reserves{open_reserve(), open_reserve(), open_reserve(), open_reserve()};
  Counter refused;
};

Acceptor::Acceptor(Loop& loop, Fd listening, OnAccept on_accept)
    : impl_(std::make_shared<Impl>(loop, std::move(listening), std::move(on_accept))) {}

Acceptor::~Acceptor() {
  close();
}

void Acceptor::start() {
  impl_->wait();
}

void Acceptor::accept_all() {
  const auto alive = impl_;
  alive->accept_some(kMostAtTheEnd);
}

void Acceptor::close() {
  impl_->listening.close();
  impl_->back_off.cancel();
  for (Fd& each : impl_->reserves) each.reset();
}

std::uint64_t Acceptor::refused() const {
  return impl_->refused.get();
}

}  // namespace limpet::net
