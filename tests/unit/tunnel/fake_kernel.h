// FakeKernel: two sockets as a tunnel sees them, and the peers behind them, who act at any moment: between
// two events and in the middle of a call. For the unit test and the fuzz target of Relay.
//
// Readiness is Linux's, edge-triggered: news (bytes, an end, a reset, room after a send found too little)
// makes one event, which carries the whole state of the moment when it is fetched; nothing repeats it. So a
// wake-up that Relay misses is missed for good, and Rig::check_quiet() sees it. Bytes are never stored: byte
// i of what a side sends is pattern(side, i), and every byte is checked when it comes out.
#pragma once

#include <errno.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "proxy/tunnel/relay.h"

namespace limpet::tunnel {

// Where every decision comes from: a seed, or a fuzzer's input.
class Choices {
 public:
  virtual ~Choices() = default;
  virtual std::uint32_t below(std::uint32_t n) = 0;  // 0, the harmless one, once there is nothing left
  virtual bool left() = 0;                           // asked before each step
};

inline char pattern(int side, std::uint64_t at) {
  std::uint64_t x = (at * 2 + static_cast<std::uint64_t>(side) + 1) * 0x9e3779b97f4a7c15ull;
  x ^= x >> 29;
  return static_cast<char>((x * 0xbf58476d1ce4e5b9ull) >> 56);
}

class FakeKernel {
 public:
  struct Socket {
    std::uint64_t sent = 0;   // by the peer
    std::uint64_t read = 0;   // of it, by the proxy
    bool fin = false;         // the peer has ended what it sends
    bool broken = false;      // or everything
    int error = 0;            // and the proxy was not told why: the first call that meets it is
    bool told = false;        // it was told, or that it writes in vain
    bool end_seen = false;    // a recv has returned the end
    bool dry = false;         // a recv has found nothing, and there was no news since
    std::uint64_t taken = 0;  // from the proxy, for the peer
    std::uint64_t room = 0;   // for more
    bool no_space = false;    // a send found too little: there is an edge when there is enough
    bool shut = false;        // by the proxy
    bool edge = true;         // an event is due; EPOLL_CTL_ADD makes the first
  };

  explicit FakeKernel(Choices& c) : choices(c) {}

  // --- what Relay calls ---

  ssize_t recv(int fd, char* into, std::size_t size) {
    Socket& s = enter(fd);
    if (s.end_seen) complain("read after the end");
    if (tunnel != nullptr && tunnel->way[fd].pending != nullptr) complain("read for a side that is behind");
    if (interrupted()) return -EINTR;
    const std::size_t count = std::min<std::size_t>(size, s.sent - s.read);
    for (std::size_t i = 0; i < count; ++i) into[i] = pattern(fd, s.read + i);
    s.read += count;
    ssize_t result = static_cast<ssize_t>(count);
    if (count == 0) result = end_of(s);
    if (result == -EAGAIN && std::exchange(s.dry, true)) complain("looked again where nothing can be");
    meanwhile();
    return result;
  }

  ssize_t send(int fd, const char* from, std::size_t size) {
    Socket& s = enter(fd);
    if (s.shut) complain("written after the shutdown");
    if (size == 0) complain("nothing to write");
    if (interrupted()) return -EINTR;
    if (s.broken) {
      s.told = true;
      return -(s.error != 0 ? std::exchange(s.error, 0) : EPIPE);
    }
    std::size_t count = std::min<std::size_t>(size, s.room);
    if (!calm && choices.below(4) == 3) count = choices.below(static_cast<std::uint32_t>(count) + 1);
    for (std::size_t i = 0; i < count; ++i) {
      if (from[i] != pattern(1 - fd, s.taken + i)) complain("another byte than the one that is due");
    }
    if (count < size) s.no_space = true;
    s.room -= count;
    s.taken += count;
    meanwhile();
    return count == 0 ? -EAGAIN : static_cast<ssize_t>(count);
  }

  void shutdown_write(int fd) {
    Socket& s = enter(fd);
    const Socket& other = sockets[1 - fd];
    if (s.shut) complain("shut down twice");
    if (tunnel != nullptr && tunnel->way[fd].shut) complain("shut down where the close follows");
    if (!other.end_seen || (!s.broken && s.taken != other.sent)) complain("an end before its time");
    s.shut = true;
    if (choices.below(2) == 1) s.edge = true;
  }

  // --- what peers do ---

  void arrive(int fd, std::uint64_t bytes) {
    Socket& s = sockets[fd];
    if (s.fin || s.broken || bytes == 0) return;
    s.sent += bytes;
    s.edge = true;
  }
  void open_window(int fd, std::uint64_t bytes) {
    Socket& s = sockets[fd];
    if (s.broken) return;
    s.room += bytes;
    if (s.no_space && s.room >= low_water) {
      s.no_space = false;
      s.edge = true;
    }
  }
  void end(int fd) {
    Socket& s = sockets[fd];
    if (s.fin || s.broken) return;
    s.fin = s.edge = true;
  }
  void reset(int fd, int error = ECONNRESET) {
    Socket& s = sockets[fd];
    if (s.broken) return;
    s.broken = s.edge = true;
    s.error = error;
  }
  void peer_acts() {
    constexpr int kErrors[] = {ECONNRESET, EPIPE, ETIMEDOUT};
    const int fd = static_cast<int>(choices.below(2));
    switch (choices.below(16)) {
      case 0: break;
      case 1:
        if (choices.below(4) == 3) end(fd);
        break;
      case 2:
        if (choices.below(8) == 7) reset(fd, kErrors[choices.below(3)]);
        break;
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
      case 8: open_window(fd, 1 + choices.below(150)); break;
      default: arrive(fd, 1 + choices.below(150));
    }
  }

  // --- epoll ---

  std::uint32_t state(int fd) {
    Socket& s = sockets[fd];
    std::uint32_t events = 0;
    if (s.read < s.sent || s.fin || s.broken) events |= EPOLLIN;
    if (s.fin || s.broken) events |= EPOLLRDHUP;
    if (s.broken || (s.fin && s.shut)) events |= EPOLLHUP;
    if (s.error != 0) events |= EPOLLERR;
    if (s.room >= low_water || s.shut || s.broken) {
      events |= EPOLLOUT;
    } else {
      s.no_space = true;  // who asks and hears no is told later
    }
    return events;
  }
  std::uint32_t fetch(int fd) { return std::exchange(sockets[fd].edge, false) ? state(fd) : 0; }

  void complain(const char* what) {
    if (complaint.empty()) complaint = what;
  }

  Choices& choices;
  Socket sockets[2];
  std::uint64_t low_water = 1;     // the least room that makes an event
  const Tunnel* tunnel = nullptr;  // whose calls these are
  bool calm = false;               // peers and chance are still: what happens now is Relay's doing
  bool over = false;               // no call is right any more
  std::uint64_t calls = 0;
  std::string complaint;  // the first

 private:
  Socket& enter(int fd) {
    ++calls;
    if (over) complain("a call after the tunnel's end");
    meanwhile();
    return sockets[fd];
  }
  void meanwhile() {
    if (!calm && choices.below(8) == 7) peer_acts();
  }
  bool interrupted() { return !calm && choices.below(16) == 15; }
  static ssize_t end_of(Socket& s) {
    if (!s.fin && !s.broken) return -EAGAIN;
    s.end_seen = true;
    if (s.fin || s.error == 0) return 0;
    s.told = true;
    return -std::exchange(s.error, 0);
  }
};

// A tunnel on a FakeKernel, handled as Engine handles one.
struct Rig {
  struct Sizes {
    std::size_t scratch = 64;
    std::size_t turn = Relay<FakeKernel>::kMostPerTurn;
    std::size_t early[2] = {0, 0};  // bytes of each side that came before the tunnel began
    std::uint64_t low_water = 1;
  };

  Rig(Choices& c, const Sizes& s)
      : sizes(s), choices(c), kernel(c), scratch(s.scratch, '\0'), relay(kernel, buffers, scratch, s.turn) {
    kernel.low_water = s.low_water;
    kernel.tunnel = &t;
    for (int side = 0; side < 2; ++side) {
      t.fd[side] = side;
      if (s.early[side] == 0) continue;
      std::string bytes;
      for (std::size_t i = 0; i < s.early[side]; ++i) bytes += pattern(side, i);
      t.way[side].pending = buffers.keep(bytes.data(), bytes.size());
      kernel.sockets[side].sent = kernel.sockets[side].read = bytes.size();
    }
  }
  ~Rig() { relay.release(t); }

  static Sizes some_sizes(Choices& c) {
    Sizes s;
    s.scratch = 1 + c.below(64);
    s.turn = 1 + c.below(200);
    s.low_water = 1 + c.below(50);
    for (std::size_t& early : s.early) early = c.below(4) == 3 ? c.below(100) : 0;
    return s;
  }

  bool ended() const { return verdict == Verdict::over; }
  bool stopped() const { return ended() || !kernel.complaint.empty(); }
  const std::string& complaint() const { return kernel.complaint; }
  std::size_t pending(int side) const { return t.way[side].pending ? t.way[side].pending->size() : 0; }

  void handle(int fd, std::uint32_t events) {
    if (stopped() || events == 0) return;
    if (events & EPOLLIN) kernel.sockets[fd].dry = false;
    const std::uint64_t before[2] = {kernel.sockets[0].read, kernel.sockets[1].read};
    relay.note(t, fd, events);
    after_turn(relay.resume(t), before);
  }
  void resume() {
    if (verdict != Verdict::yielded) return;
    const std::uint64_t before[2] = {kernel.sockets[0].read, kernel.sockets[1].read};
    after_turn(relay.resume(t), before);
  }
  // Every event that is due, until there is none.
  void deliver() {
    for (int rounds = 0; !stopped(); ++rounds) {
      if (rounds > 100'000) kernel.complain("it never rests");
      const bool due = kernel.sockets[0].edge || kernel.sockets[1].edge;
      if (!due && verdict == Verdict::waiting) return;
      const int fd = static_cast<int>(choices.below(2));
      handle(fd, kernel.fetch(fd));
      handle(1 - fd, kernel.fetch(1 - fd));
      resume();
    }
  }

  // Everything, whatever the choices say; in the end the tunnel is over and nothing is missing.
  void run() {
    while (!stopped() && choices.left()) step();
    kernel.calm = true;
    settle();
    const int first = static_cast<int>(choices.below(2));
    for (const int fd : {first, 1 - first}) {
      kernel.end(fd);
      settle();
    }
    if (!stopped()) kernel.complain("both sides have ended, the tunnel has not");
    if (complaint().empty()) check_end();
  }

  void check_quiet() {
    if (stopped() || verdict == Verdict::yielded) return;
    for (int side = 0; side < 2; ++side) {
      const FakeKernel::Socket& from = kernel.sockets[side];
      const FakeKernel::Socket& to = kernel.sockets[1 - side];
      if (from.edge || to.edge) return;
      if (from.told && !t.way[1 - side].shut) kernel.complain("still writes to a broken side");
      if (t.way[side].shut && !to.shut && !to.broken) kernel.complain("an end that nobody was told of");
      if (t.way[side].shut) continue;
      if (pending(side) > 0) {
        if (to.broken || !to.no_space) kernel.complain("asleep with bytes that could be written");
      } else if (from.read < from.sent || from.fin || from.broken) {
        kernel.complain("asleep with something to read");
      }
    }
  }

  const Sizes sizes;
  Choices& choices;
  FakeKernel kernel;
  Buffers buffers;
  std::string scratch;
  Relay<FakeKernel> relay;
  Tunnel t;
  Verdict verdict = Verdict::waiting;

 private:
  void step() {
    const int fd = static_cast<int>(choices.below(2));
    switch (choices.below(8)) {
      case 0:
      case 1: kernel.peer_acts(); break;
      case 2: handle(fd, kernel.fetch(fd)); break;
      case 3: {  // a batch: what the second event says is old when it is handled
        const std::uint32_t one = kernel.fetch(fd), other = kernel.fetch(1 - fd);
        kernel.peer_acts();
        handle(fd, one);
        handle(1 - fd, other);
        break;
      }
      case 4: handle(fd, kernel.state(fd)); break;  // an event without news: allowed, and must do no harm
      case 5: resume(); break;
      default:
        kernel.peer_acts();
        deliver();
        check_quiet();
    }
  }

  void settle() {
    while (!stopped()) {
      deliver();
      check_quiet();
      if (stopped() || (!kernel.sockets[0].no_space && !kernel.sockets[1].no_space)) return;
      for (int fd = 0; fd < 2; ++fd) {
        if (!kernel.sockets[fd].no_space) continue;
        if (kernel.sockets[fd].broken) kernel.sockets[fd].no_space = false;
        kernel.open_window(fd, sizes.low_water + 100);
      }
    }
  }

  void after_turn(Verdict v, const std::uint64_t (&before)[2]) {
    verdict = v;
    bool full_turn = false;
    for (int side = 0; side < 2; ++side) {
      const FakeKernel::Socket& from = kernel.sockets[side];
      const std::uint64_t moved = from.read - before[side];
      full_turn |= moved >= sizes.turn;
      if (moved >= sizes.turn + sizes.scratch) kernel.complain("more than its turn");
      if (pending(side) > std::max(sizes.scratch, sizes.early[side])) kernel.complain("keeps too much");
      if (t.way[side].pending != nullptr && pending(side) == 0) kernel.complain("keeps an empty buffer");
      if (t.way[side].bytes + sizes.early[side] != from.read) kernel.complain("counted wrong");
      if (!kernel.sockets[1 - side].broken && kernel.sockets[1 - side].taken + pending(side) != from.read)
        kernel.complain("bytes were lost");
    }
    if (v == Verdict::yielded && !full_turn) kernel.complain("yielded without need");
    kernel.over = ended();
    if (ended() != (t.way[0].shut && t.way[1].shut)) kernel.complain("over, or not, against its own record");
  }

  void check_end() {
    if (buffers.held() != 0) kernel.complain("a buffer was not given back");
    for (int side = 0; side < 2; ++side) {
      const FakeKernel::Socket& to = kernel.sockets[1 - side];
      if (!to.broken && to.taken != kernel.sockets[side].sent) kernel.complain("not everything arrived");
    }
    if (t.first == Who::proxy) return kernel.complain("nobody ended it");
    const FakeKernel::Socket& first = kernel.sockets[t.first == Who::client ? 0 : 1];
    if (t.why == Why::reset ? !first.broken : !first.fin)
      kernel.complain("the wrong one is said to have ended it");
  }
};

}  // namespace limpet::tunnel
