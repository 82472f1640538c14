// The byte path against a kernel that splits, shortens and fails every call at random: what arrives is what
// was sent, in order, none lost, none doubled.
#include "proxy/tunnel/relay.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace limpet::tunnel {
namespace {

// Two socket pairs seen from the proxy: fd 0 is the client's, fd 1 the server's. Edge-triggered like the
// kernel: a state change sets an event, and nothing repeats it.
struct FakeKernel {
  struct Socket {
    std::deque<char> incoming;  // sent by the peer, not read by the proxy
    std::string outgoing;       // written by the proxy
    std::size_t room = 0;       // what the peer's window still takes
    bool peer_ended = false;    // FIN is behind `incoming`
    bool broken = false;
    bool shut = false;        // shutdown(SHUT_WR) by the proxy
    bool wants_room = false;  // a send found no room: EPOLLOUT is due when there is some
    std::uint32_t events = 0;
  };
  std::mt19937_64 random;
  Socket sockets[2];

  ssize_t recv(int fd, char* into, std::size_t size) {
    Socket& s = sockets[fd];
    if (random() % 16 == 0) return -EINTR;
    if (s.broken && s.incoming.empty()) return -ECONNRESET;
    if (s.incoming.empty()) return s.peer_ended ? 0 : -EAGAIN;
    const std::size_t count = std::min(size, s.incoming.size());
    std::copy_n(s.incoming.begin(), count, into);
    s.incoming.erase(s.incoming.begin(), s.incoming.begin() + static_cast<std::ptrdiff_t>(count));
    return static_cast<ssize_t>(count);
  }
  ssize_t send(int fd, const char* from, std::size_t size) {
    Socket& s = sockets[fd];
    EXPECT_FALSE(s.shut) << "written after shutdown";
    if (random() % 16 == 0) return -EINTR;
    if (s.broken) return -EPIPE;
    const std::size_t count = std::min(size, s.room);
    if (count < size) s.wants_room = true;
    if (count == 0) return -EAGAIN;
    s.room -= count;
    s.outgoing.append(from, count);
    return static_cast<ssize_t>(count);
  }
  void shutdown_write(int fd) {
    EXPECT_FALSE(sockets[fd].shut) << "shut twice";
    sockets[fd].shut = true;
  }

  // What peers do.
  void arrive(int fd, std::string_view bytes) {
    if (bytes.empty()) return;
    sockets[fd].incoming.insert(sockets[fd].incoming.end(), bytes.begin(), bytes.end());
    sockets[fd].events |= EPOLLIN;
  }
  void open_window(int fd, std::size_t bytes) {
    Socket& s = sockets[fd];
    s.room += bytes;
    if (std::exchange(s.wants_room, false)) s.events |= EPOLLOUT;
  }
  void end(int fd) {
    sockets[fd].peer_ended = true;
    sockets[fd].events |= EPOLLIN | EPOLLRDHUP;
  }
  void reset(int fd) {
    sockets[fd].broken = true;
    sockets[fd].events |= EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  }
};

struct World {
  explicit World(std::uint64_t seed, std::size_t scratch_size = 64) : scratch(scratch_size, '\0') {
    kernel.random.seed(seed);
    t.fd[0] = 0;
    t.fd[1] = 1;
  }
  ~World() {
    relay.release(t);
    EXPECT_EQ(buffers.held(), 0u);
  }
  // Delivers pending events until none is left; the epoll of the engine.
  void deliver() {
    while (verdict != Verdict::over) {
      if (verdict == Verdict::yielded) {
        verdict = relay.resume(t);
        continue;
      }
      const int fd = static_cast<int>(kernel.random() % 2);
      const int which = kernel.sockets[fd].events ? fd : 1 - fd;
      const std::uint32_t events = std::exchange(kernel.sockets[which].events, 0u);
      if (events == 0) return;
      verdict = relay.on_events(t, which, events);
    }
  }
  std::size_t bytes_pending() const {
    std::size_t total = 0;
    for (const Way& way : t.way) total += way.pending ? way.pending->size() : 0;
    return total;
  }
  FakeKernel kernel;
  Buffers buffers;
  std::string scratch;
  Relay<FakeKernel> relay{kernel, buffers, {scratch.data(), scratch.size()}};
  Tunnel t;
  Verdict verdict = Verdict::waiting;
};

std::string letters(std::mt19937_64& random, std::size_t most) {
  std::string text(random() % (most + 1), '\0');
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  return text;
}

TEST(Relay, BytesArriveInOrderNoneLostNoneDoubled) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    World w(seed);
    std::string sent[2];
    bool ended[2] = {false, false};
    for (int step = 0; step < 60; ++step) {
      const int fd = static_cast<int>(w.kernel.random() % 2);
      switch (w.kernel.random() % 4) {
        case 0:
        case 1:
          if (!ended[fd]) {
            const std::string bytes = letters(w.kernel.random, 200);
            sent[fd] += bytes;
            w.kernel.arrive(fd, bytes);
          }
          break;
        case 2: w.kernel.open_window(fd, w.kernel.random() % 150); break;
        case 3:
          if (w.kernel.random() % 20 == 0 && !std::exchange(ended[fd], true)) w.kernel.end(fd);
          break;
      }
      if (w.kernel.random() % 2) w.deliver();
      ASSERT_LE(w.bytes_pending(), 2 * w.scratch.size()) << "more than a buffer a direction, seed " << seed;
    }
    for (int fd = 0; fd < 2; ++fd) {
      if (!std::exchange(ended[fd], true)) w.kernel.end(fd);
      w.kernel.open_window(fd, 1 << 20);
    }
    w.deliver();
    EXPECT_EQ(w.kernel.sockets[1].outgoing, sent[0]) << "seed " << seed;
    EXPECT_EQ(w.kernel.sockets[0].outgoing, sent[1]) << "seed " << seed;
    EXPECT_EQ(w.verdict, Verdict::over) << "seed " << seed;
    EXPECT_EQ(w.t.way[0].bytes, sent[0].size());
    EXPECT_EQ(w.t.way[1].bytes, sent[1].size());
    if (HasFailure()) return;
  }
}

TEST(Relay, AfterAResetWhatCameBeforeItIsDeliveredAndTheTunnelEnds) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    World w(seed);
    std::string sent[2];
    const int victim = static_cast<int>(w.kernel.random() % 2);
    for (int step = 0; step < 30; ++step) {
      const int fd = static_cast<int>(w.kernel.random() % 2);
      const std::string bytes = letters(w.kernel.random, 200);
      sent[fd] += bytes;
      w.kernel.arrive(fd, bytes);
      w.kernel.open_window(fd, w.kernel.random() % 300);
      if (w.kernel.random() % 2) w.deliver();
    }
    w.kernel.reset(victim);
    w.deliver();
    w.kernel.open_window(1 - victim, 1 << 20);
    w.deliver();
    EXPECT_EQ(w.verdict, Verdict::over) << "seed " << seed;
    EXPECT_EQ(w.kernel.sockets[1 - victim].outgoing, sent[victim]) << "seed " << seed;
    const std::string& other = w.kernel.sockets[victim].outgoing;
    EXPECT_EQ(other, sent[1 - victim].substr(0, other.size())) << "seed " << seed;
    EXPECT_EQ(w.t.why, Why::reset);
    EXPECT_EQ(w.t.first, victim == 0 ? Who::client : Who::server);
    if (HasFailure()) return;
  }
}

TEST(Relay, HalfCloseLetsTheTailThrough) {
  World w(1);
  w.kernel.open_window(0, 1000);
  w.kernel.open_window(1, 1000);
  w.kernel.arrive(0, "request");
  w.kernel.end(0);
  w.deliver();
  EXPECT_EQ(w.kernel.sockets[1].outgoing, "request");
  EXPECT_TRUE(w.kernel.sockets[1].shut);
  EXPECT_EQ(w.verdict, Verdict::waiting);
  w.kernel.arrive(1, "tail");
  w.kernel.end(1);
  w.deliver();
  EXPECT_EQ(w.kernel.sockets[0].outgoing, "tail");
  EXPECT_EQ(w.verdict, Verdict::over);
  EXPECT_EQ(w.t.first, Who::client);
}

TEST(Relay, SlowSideStopsReadingFromTheOther) {
  World w(3, 16);
  w.kernel.arrive(0, std::string(1000, 'x'));
  w.deliver();
  EXPECT_LE(w.bytes_pending(), 16u);
  EXPECT_GE(w.kernel.sockets[0].incoming.size(), 1000u - 16u);
  w.kernel.open_window(1, 5000);
  w.deliver();
  EXPECT_EQ(w.kernel.sockets[1].outgoing.size(), 1000u);
  EXPECT_EQ(w.buffers.held(), 0u);
}

TEST(Relay, BusyTunnelYields) {
  World w(4, 128 * 1024);
  w.kernel.open_window(1, 16 << 20);
  w.kernel.arrive(0, std::string(2 << 20, 'x'));
  const std::uint32_t events = std::exchange(w.kernel.sockets[0].events, 0u);
  EXPECT_EQ(w.relay.on_events(w.t, 0, events), Verdict::yielded);
  EXPECT_LE(w.kernel.sockets[1].outgoing.size(), Relay<FakeKernel>::kMostPerTurn + w.scratch.size());
  w.verdict = Verdict::yielded;
  w.deliver();
  EXPECT_EQ(w.kernel.sockets[1].outgoing.size(), std::size_t{2} << 20);
}

}  // namespace
}  // namespace limpet::tunnel
