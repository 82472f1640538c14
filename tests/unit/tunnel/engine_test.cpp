#include "proxy/tunnel/engine.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace limpet::tunnel {
namespace {

// Where tunnels report their end.
struct Ends {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Ending> seen;
  void add(const Ending& ending) {
    std::lock_guard lock(mutex);
    seen.push_back(ending);
    changed.notify_all();
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20), [&] { return seen.size() >= count; });
  }
};

struct TestRecord : Record {
  explicit TestRecord(Ends& e) : ends(e) {}
  void ended(const Ending& ending) noexcept override { ends.add(ending); }
  Ends& ends;
};

struct Peers {
  net::Fd client;
  net::Fd server;
};

Peers open_tunnel(Engine& engine, Ends& ends, Handover handover = {}) {
  int client[2], server[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, client), 0);
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, server), 0);
  handover.client = net::Fd(client[0]);
  handover.server = net::Fd(server[0]);
  handover.record = std::make_unique<TestRecord>(ends);
  engine.adopt(std::move(handover));
  return {net::Fd(client[1]), net::Fd(server[1])};
}

void put(const net::Fd& fd, std::string_view bytes) {
  ASSERT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

std::string take(const net::Fd& fd, std::size_t size) {
  std::string got;
  while (got.size() < size) {
    pollfd wait{fd.get(), POLLIN, 0};
    if (::poll(&wait, 1, 20'000) != 1) break;
    char bytes[4096];
    const ssize_t n = ::recv(fd.get(), bytes, std::min(sizeof(bytes), size - got.size()), 0);
    if (n <= 0) break;
    got.append(bytes, static_cast<std::size_t>(n));
  }
  return got;
}

TEST(Engine, RelaysBothWaysAndReportsTheEnd) {
  Ends ends;
  Engine engine;
  engine.start();
  Peers peers = open_tunnel(engine, ends);
  put(peers.client, "hello");
  EXPECT_EQ(take(peers.server, 5), "hello");
  put(peers.server, "world!");
  EXPECT_EQ(take(peers.client, 6), "world!");
  peers.client.reset();
  peers.server.reset();
  ASSERT_TRUE(ends.wait_for(1));
  EXPECT_EQ(ends.seen[0].bytes_in, 5u);
  EXPECT_EQ(ends.seen[0].bytes_out, 6u);
  engine.stop();
  EXPECT_EQ(engine.open(), 0u);
}

TEST(Engine, BytesGivenWithTheTunnelComeFirst) {
  Ends ends;
  Engine engine;
  engine.start();
  Handover handover;
  handover.to_client = "early down";
  handover.to_server = "early up";
  Peers peers = open_tunnel(engine, ends, std::move(handover));
  put(peers.client, " later");
  EXPECT_EQ(take(peers.server, 14), "early up later");
  EXPECT_EQ(take(peers.client, 10), "early down");
}

TEST(Engine, IdleTunnelIsClosedAndABusyOneIsNot) {
  Ends ends;
  Engine engine;
  engine.start();
  Handover quick;
  quick.idle_ms = 50;
  const Peers idle = open_tunnel(engine, ends, std::move(quick));
  const Peers other = open_tunnel(engine, ends);
  ASSERT_TRUE(ends.wait_for(1));
  EXPECT_EQ(ends.seen[0].why, Why::idle);
  EXPECT_EQ(take(idle.client, 1), "");
  put(other.client, "x");
  EXPECT_EQ(take(other.server, 1), "x");
}

TEST(Engine, HalfClosedTunnelEndsAfterSilence) {
  Ends ends;
  Engine engine({.half_close_ms = 50});
  engine.start();
  const Peers peers = open_tunnel(engine, ends);
  ::shutdown(peers.client.get(), SHUT_WR);
  ASSERT_TRUE(ends.wait_for(1));
  EXPECT_EQ(ends.seen[0].why, Why::idle);
}

TEST(Engine, DrainClosesEveryTunnelWithinItsWindow) {
  Ends ends;
  Engine engine;
  engine.start();
  std::vector<Peers> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(open_tunnel(engine, ends));
  engine.drain(100);
  ASSERT_TRUE(ends.wait_for(200));
  for (const Ending& each : ends.seen) EXPECT_EQ(each.why, Why::drain);
  EXPECT_EQ(engine.open(), 0u);
}

TEST(Engine, ServersTunnelsCloseOnlyWhereAsked) {
  Ends ends;
  Engine engine;
  engine.start();
  const auto with = [](std::uint32_t serial, bool close) {
    Handover handover;
    handover.server_serial = serial;
    handover.close_on_server_down = close;
    return handover;
  };
  const Peers closed = open_tunnel(engine, ends, with(1, true));
  const Peers kept = open_tunnel(engine, ends, with(1, false));
  const Peers other = open_tunnel(engine, ends, with(2, true));
  for (const Peers* each : {&closed, &kept, &other}) {  // all three are known to the thread
    put(each->client, "x");
    ASSERT_EQ(take(each->server, 1), "x");
  }
  engine.close_server(1);
  ASSERT_TRUE(ends.wait_for(1));
  EXPECT_EQ(ends.seen[0].why, Why::server_down);
  put(kept.client, "y");
  EXPECT_EQ(take(kept.server, 1), "y");
  put(other.client, "y");
  EXPECT_EQ(take(other.server, 1), "y");
}

TEST(Engine, ManyTunnelsComeAndGo) {
  Ends ends;
  Engine engine;
  engine.start();
  std::deque<Peers> open;
  for (int i = 0; i < 3000; ++i) {
    open.push_back(open_tunnel(engine, ends));
    put(open.back().client, "ping");
    if (i % 3 == 0) {
      EXPECT_EQ(take(open.back().server, 4), "ping");
    }
    if (open.size() > 100) open.pop_front();
  }
  open.clear();
  ASSERT_TRUE(ends.wait_for(3000));
  EXPECT_EQ(engine.open(), 0u);
}

TEST(Engine, LargeTransfersArriveWholeThroughSlowReaders) {
  Ends ends;
  Engine engine;
  engine.start();
  const Peers peers = open_tunnel(engine, ends);
  std::string sent(5 << 20, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 + i / 4096);
  std::thread writer([&] {
    std::size_t at = 0;
    while (at < sent.size()) {
      pollfd wait{peers.client.get(), POLLOUT, 0};
      ::poll(&wait, 1, 20'000);
      const ssize_t n = ::send(peers.client.get(), sent.data() + at, sent.size() - at, MSG_NOSIGNAL);
      if (n > 0) at += static_cast<std::size_t>(n);
    }
  });
  const std::string got = take(peers.server, sent.size());
  writer.join();
  EXPECT_TRUE(got == sent);
}

// A tunnel whose two sides are the ends of one pair: what is put into it goes round for ever, and is more
// than one read takes, so that the tunnel's turn never ends by itself.
void open_ring(Engine& engine, Ends& ends) {
  constexpr std::size_t kTwoReads = 256 * 1024;
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  const int room = 1 << 20;
  ::setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
  const std::string bytes(16 * 1024, 'x');
  std::size_t inside = 0;
  for (ssize_t put = 1; put > 0; inside += put > 0 ? static_cast<std::size_t>(put) : 0)
    put = ::send(pair[1], bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ASSERT_GE(inside, kTwoReads);
  Handover handover;
  handover.client = net::Fd(pair[0]);
  handover.server = net::Fd(pair[1]);
  handover.record = std::make_unique<TestRecord>(ends);
  engine.adopt(std::move(handover));
}

TEST(Engine, AFloodDoesNotStarveTheOthers) {
  Ends ends;
  Engine engine;
  engine.start();
  open_ring(engine, ends);
  const Peers quiet = open_tunnel(engine, ends);
  for (int i = 0; i < 200; ++i) {
    put(quiet.client, "ping");
    ASSERT_EQ(take(quiet.server, 4), "ping");
    put(quiet.server, "pong");
    ASSERT_EQ(take(quiet.client, 4), "pong");
  }
  engine.stop();
  ASSERT_EQ(ends.seen.size(), 2u);
  EXPECT_GT(ends.seen[0].bytes_in + ends.seen[1].bytes_in, 10u << 20) << "the flood was none";
}

}  // namespace
}  // namespace limpet::tunnel
