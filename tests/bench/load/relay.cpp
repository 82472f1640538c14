#include "tests/bench/load/relay.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "tests/bench/load/sockets.h"

namespace limpet::bench {
namespace {

constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr int kReadsPerTurn = 16;

// What one socket could not take yet.
struct Pending {
  std::size_t sent = 0;
  std::vector<char> bytes;
};

struct Side {
  int fd = -1;
  bool ended = false;                // its peer has sent all
  bool shut = false;                 // it was told that the other side has
  bool ending = false;               // epoll saw the end: read on until it comes
  bool second = false;               // of the tunnel's two sides
  std::unique_ptr<Pending> pending;  // to be sent to it
};

struct Tunnel {
  Side sides[2];
  bool closed() const { return sides[0].fd < 0; }
};

Side& other(Side& side) {
  return side.second ? *(&side - 1) : *(&side + 1);
}
Tunnel& tunnel_of(Side& side) {
  return *reinterpret_cast<Tunnel*>(side.second ? &side - 1 : &side);
}

class Relay {
 public:
  explicit Relay(const RelayOptions& options)
      : listener_(listen_on(parse_address(options.listen))), upstream_(parse_address(options.upstream)) {
    poller_.add(listener_.get(), EPOLLIN, nullptr);
    announce(to_text(bound_address(listener_.get())) + "\n", options.ports_file);
  }

  [[noreturn]] void run() {
    for (;;) {
      for (const epoll_event& event : poller_.wait(kNever)) {
        if (event.data.ptr == nullptr) {
          accept();
        } else {
          on_events(*static_cast<Side*>(event.data.ptr), event.events);
        }
      }
      for (Tunnel* each : doomed_) delete each;  // now that no event of the batch can name them
      doomed_.clear();
    }
  }

 private:
  void accept() {
    for (int i = 0; i < 64; ++i) {
      Fd client = accept_from(listener_.get());
      if (!client) return;
      Fd server = connect_to(upstream_, 0);
      if (!server) continue;
      auto* const tunnel = new Tunnel;
      tunnel->sides[0].fd = client.release();
      tunnel->sides[1].fd = server.release();
      tunnel->sides[1].second = true;
      for (Side& side : tunnel->sides) poller_.add(side.fd, kEvents, &side);
    }
  }

  void on_events(Side& side, std::uint32_t events) {
    Tunnel& tunnel = tunnel_of(side);
    if (tunnel.closed()) return;
    if (events & EPOLLERR) return close(tunnel);
    if (events & (EPOLLRDHUP | EPOLLHUP)) side.ending = true;
    if ((events & EPOLLOUT) && side.pending) flush(side);
    if (!tunnel.closed() && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))) pump(side);
  }

  // Everything that can be read from `from` goes to the other side at once.
  void pump(Side& from) {
    Side& to = other(from);
    for (int i = 0; !from.ended && !to.pending; ++i) {
      if (i == kReadsPerTurn) return poller_.modify(from.fd, kEvents, &from);  // others first; the edge anew
      const ssize_t got = ::recv(from.fd, buffer_.data(), buffer_.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno == EAGAIN ? void() : close(tunnel_of(from));
      if (got == 0) {
        from.ended = true;
        return pass_end(to);
      }
      if (!send(to, static_cast<std::size_t>(got))) return close(tunnel_of(from));
      // Less than asked for: the socket is empty, and asking again would only say so.
      if (static_cast<std::size_t>(got) < buffer_.size() && !from.ending) return;
    }
  }

  // Sends the buffer's first bytes; what does not fit is kept. False when the connection is broken.
  bool send(Side& to, std::size_t count) {
    ssize_t sent = ::send(to.fd, buffer_.data(), count, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EINTR) return false;
      sent = 0;
    }
    if (static_cast<std::size_t>(sent) == count) return true;
    to.pending = std::make_unique<Pending>();
    to.pending->bytes.assign(buffer_.data() + sent, buffer_.data() + count);
    return true;
  }

  void flush(Side& side) {
    Pending& pending = *side.pending;
    const ssize_t sent = ::send(side.fd, pending.bytes.data() + pending.sent,
                                pending.bytes.size() - pending.sent, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR ? void() : close(tunnel_of(side));
    pending.sent += static_cast<std::size_t>(sent);
    if (pending.sent < pending.bytes.size()) return;
    side.pending.reset();
    if (other(side).ended) return pass_end(side);
    pump(other(side));  // nothing was read while it was full, and no edge will say that there is something
  }

  void pass_end(Side& to) {
    if (to.pending || to.shut) return;
    to.shut = true;
    if (other(to).shut) return close(tunnel_of(to));
    ::shutdown(to.fd, SHUT_WR);
  }

  void close(Tunnel& tunnel) {
    for (Side& side : tunnel.sides) ::close(std::exchange(side.fd, -1));
    doomed_.push_back(&tunnel);
  }

  Fd listener_;
  sockaddr_in upstream_;
  Poller poller_;
  std::vector<char> buffer_ = std::vector<char>(128 * 1024);
  std::vector<Tunnel*> doomed_;
};

}  // namespace

void relay(const RelayOptions& options) {
  raise_descriptor_limit();
  Relay(options).run();
}

}  // namespace limpet::bench
