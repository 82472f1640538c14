#include "proxy/tunnel/engine.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

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
  // Of now: tunnels that are still open may add theirs at any time.
  std::vector<Ending> told() {
    std::lock_guard lock(mutex);
    return seen;
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

// An engine on a loop that runs.
class Running {
 public:
  explicit Running(Options options = {})
      : engine_(std::make_unique<Engine>(loop_, std::span(scratch_), options)),
        thread_([this] { loop_.run(); }) {}
  ~Running() { stop(); }

  // Closes all tunnels.
  void stop() {
    if (!thread_.joinable()) return;
    call([this] { engine_->close_all(); });
    loop_.stop();
    thread_.join();
  }
  // On the loop's thread, done when it returns.
  void call(std::function<void()> what) {
    std::promise<void> done;
    loop_.post([&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }
  // So many turns of the loop have passed when it returns.
  void turns(int count) {
    struct Count {
      net::Loop& loop;
      int left;
      std::promise<void> done;
      net::Deferred next{net::delegate<&Count::on_turn>(this)};
      void on_turn() {
        if (left-- > 0) return loop.at_end_of_turn(next);
        done.set_value();
      }
    } turns{loop_, count, {}};
    call([&] { turns.on_turn(); });
    turns.done.get_future().wait();
  }
  void adopt(Handover& handover, int client, int server) {
    call([&] {
      handover.client = net::Stream(loop_, net::Fd(client));
      handover.server = net::Stream(loop_, net::Fd(server));
      engine_->adopt(std::move(handover));
    });
  }
  // As adopt(), of a client that somebody waited for in an earlier turn.
  void adopt_after_reading_began(Ends& ends, int client, int server) {
    net::Stream waited;
    call([&] {
      waited = net::Stream(loop_, net::Fd(client));
      waited.wait_read({[](void*) {}, nullptr});
    });
    call([&] {
      waited.cancel_read();
      Handover handover;
      handover.record = std::make_unique<TestRecord>(ends);
      handover.client = std::move(waited);
      handover.server = net::Stream(loop_, net::Fd(server));
      engine_->adopt(std::move(handover));
    });
  }
  void drain(std::uint64_t window_ms) {
    call([=, this] { engine_->drain(window_ms); });
  }
  void close_server(std::uint32_t serial) {
    call([=, this] { engine_->close_server(serial); });
  }
  std::uint64_t open() const { return engine_->open(); }
  Engine& engine() { return *engine_; }

 private:
  net::Loop loop_;
  std::vector<char> scratch_ = std::vector<char>(128 * 1024);
  std::unique_ptr<Engine> engine_;
  std::thread thread_;
};

Peers open_tunnel(Running& engine, Ends& ends, Handover handover = {}) {
  int client[2], server[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, client), 0);
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, server), 0);
  handover.record = std::make_unique<TestRecord>(ends);
  engine.adopt(handover, client[0], server[0]);
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
  Running engine;
  Peers peers = open_tunnel(engine, ends);
  put(peers.client, "hello");
  EXPECT_EQ(take(peers.server, 5), "hello");
  put(peers.server, "world!");
  EXPECT_EQ(take(peers.client, 6), "world!");
  peers.client.reset();
  peers.server.reset();
  ASSERT_TRUE(ends.wait_for(1));
  EXPECT_EQ(ends.told()[0].bytes_in, 5u);
  EXPECT_EQ(ends.told()[0].bytes_out, 6u);
  engine.stop();
  EXPECT_EQ(engine.open(), 0u);
}

TEST(Engine, BytesGivenWithTheTunnelComeFirst) {
  Ends ends;
  Running engine;
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
  Running engine;
  Handover quick;
  quick.idle_ms = 50;
  const Peers idle = open_tunnel(engine, ends, std::move(quick));
  const Peers other = open_tunnel(engine, ends);
  ASSERT_TRUE(ends.wait_for(1));
  EXPECT_EQ(ends.told()[0].why, Why::idle);
  EXPECT_EQ(take(idle.client, 1), "");
  put(other.client, "x");
  EXPECT_EQ(take(other.server, 1), "x");
}

TEST(Engine, HalfClosedTunnelEndsAfterSilence) {
  Ends ends;
  Running engine({.half_close_ms = 50});
  const Peers peers = open_tunnel(engine, ends);
  ::shutdown(peers.client.get(), SHUT_WR);
  ASSERT_TRUE(ends.wait_for(1));
  EXPECT_EQ(ends.told()[0].why, Why::idle);
}

TEST(Engine, DrainClosesEveryTunnelWithinItsWindow) {
  Ends ends;
  Running engine;
  std::vector<Peers> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(open_tunnel(engine, ends));
  engine.drain(100);
  ASSERT_TRUE(ends.wait_for(200));
  for (const Ending& each : ends.told()) EXPECT_EQ(each.why, Why::drain);
  EXPECT_EQ(engine.open(), 0u);
}

TEST(Engine, ServersTunnelsCloseOnlyWhereAsked) {
  Ends ends;
  Running engine;
  const auto with = [](std::uint32_t serial, bool close) {
    Handover handover;
    handover.server_serial = serial;
    handover.close_on_server_down = close;
    return handover;
  };
  const Peers closed = open_tunnel(engine, ends, with(1, true));
  const Peers kept = open_tunnel(engine, ends, with(1, false));
  const Peers other = open_tunnel(engine, ends, with(2, true));
  for (const Peers* each : {&closed, &kept, &other}) {
    put(each->client, "x");
    ASSERT_EQ(take(each->server, 1), "x");
  }
  engine.close_server(1);
  ASSERT_TRUE(ends.wait_for(1));
  EXPECT_EQ(ends.told()[0].why, Why::server_down);
  EXPECT_EQ(take(closed.client, 1), "");  // at once, not with the loop's next event
  put(kept.client, "y");
  EXPECT_EQ(take(kept.server, 1), "y");
  put(other.client, "y");
  EXPECT_EQ(take(other.server, 1), "y");
}

TEST(Engine, PartsOfAServersTunnelsCloseUntilNoneIsLeft) {
  Ends ends;
  Running engine;
  std::vector<Peers> open;
  for (int i = 0; i < 12; ++i) {
    Handover handover;
    handover.server_serial = i < 10 ? 1 : 2;
    handover.close_on_server_down = i != 9;
    open.push_back(open_tunnel(engine, ends, std::move(handover)));
  }
  const auto close_part = [&](std::uint64_t of) { engine.call([&] { engine.engine().close_part(1, of); }); };
  close_part(3);  // of 9
  EXPECT_EQ(engine.open(), 9u);
  close_part(2);  // of 6
  EXPECT_EQ(engine.open(), 6u);
  close_part(1);
  EXPECT_EQ(engine.open(), 3u) << "of others, and those that are kept";
  close_part(1);
  EXPECT_EQ(engine.open(), 3u);
  ASSERT_TRUE(ends.wait_for(9));
  EXPECT_EQ(ends.told()[0].why, Why::drain);
}

TEST(Engine, ManyTunnelsComeAndGo) {
  Ends ends;
  Running engine;
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
  Running engine;
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
void open_ring(Running& engine, Ends& ends) {
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
  handover.record = std::make_unique<TestRecord>(ends);
  engine.adopt(handover, pair[0], pair[1]);
}

TEST(Engine, AFloodDoesNotStarveTheOthers) {
  Ends ends;
  Running engine;
  open_ring(engine, ends);
  const Peers quiet = open_tunnel(engine, ends);
  for (int i = 0; i < 200; ++i) {
    put(quiet.client, "ping");
    ASSERT_EQ(take(quiet.server, 4), "ping");
    put(quiet.server, "pong");
    ASSERT_EQ(take(quiet.client, 4), "pong");
  }
  engine.stop();
  ASSERT_EQ(ends.told().size(), 2u);
  EXPECT_GT(ends.told()[0].bytes_in + ends.told()[1].bytes_in, 10u << 20) << "the flood was none";
}

// What the loop has to do beside tunnels is done in bounded time: 200 turns, each of them with all of these
// floods in it.
TEST(Engine, FloodsLeaveTheLoopToOthers) {
  Ends ends;
  Running engine;
  for (int i = 0; i < 64; ++i) open_ring(engine, ends);
  const auto begun = std::chrono::steady_clock::now();
  engine.turns(200);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(60));
  engine.stop();
  ASSERT_EQ(ends.told().size(), 64u);
  for (const Ending& each : ends.told()) EXPECT_GT(each.bytes_in + each.bytes_out, 0u) << "it had no turn";
}

// A socket whose bytes came while it was a Stream, and were noted there but not read, brings them along.
TEST(Engine, BytesThatAStreamHasNotReadAreRelayed) {
  Ends ends;
  Running engine;
  int client[2], server[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, client), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, server), 0);
  const net::Fd far_client(client[1]), far_server(server[1]);
  put(far_client, "before");
  engine.adopt_after_reading_began(ends, client[0], server[0]);
  EXPECT_EQ(take(far_server, 6), "before");
}

// What was closed in a turn may come again, with the same descriptor and slot, in the next.
TEST(Engine, EventsOfATunnelThatIsGoneTouchNoOther) {
  Ends ends;
  Running engine;
  for (int i = 0; i < 300; ++i) {
    Peers old = open_tunnel(engine, ends);
    put(old.client, "x");
    old.client.reset();
    old.server.reset();
    const Peers fresh = open_tunnel(engine, ends);
    put(fresh.server, "y");
    ASSERT_EQ(take(fresh.client, 1), "y");
  }
}

}  // namespace
}  // namespace limpet::tunnel
