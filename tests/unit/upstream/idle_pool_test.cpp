#include "proxy/upstream/idle_pool.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <vector>

namespace limpet::upstream {
namespace {

struct Idling : testing::Test {
  net::Loop loop;
  IdlePool pool{loop};
  std::vector<net::Fd> peers;
  net::Stream connection() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    peers.emplace_back(fds[1]);
    return net::Stream(loop, net::Fd(fds[0]));
  }
  // Lets the loop run until `done` holds, by its own events.
  template <class Done>
  void run_until(Done done) {
    std::function<void()> look = [&] {
      if (done()) return loop.stop();
      loop.post(look);
    };
    loop.post(look);
    loop.run();
  }
};

TEST_F(Idling, NewestIsTakenFirst) {
  net::Stream a = connection(), b = connection();
  const int newest = b.fd();
  pool.put(1, std::move(a), 10'000);
  pool.put(1, std::move(b), 10'000);
  EXPECT_EQ(pool.take(1).fd(), newest);
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_FALSE(pool.take(2));
}

TEST_F(Idling, ConnectionThatItsServerClosesGoes) {
  pool.put(1, connection(), 10'000);
  peers.clear();
  run_until([&] { return pool.size() == 0; });
  EXPECT_FALSE(pool.take(1));
}

TEST_F(Idling, ClosedOneIsNotGivenOut) {
  pool.put(1, connection(), 10'000);
  pool.put(1, connection(), 10'000);
  peers.back().reset();
  EXPECT_TRUE(pool.take(1));
  EXPECT_EQ(pool.size(), 0u);
}

TEST_F(Idling, BytesThatNobodyAskedForEndTheConnection) {
  pool.put(1, connection(), 10'000);
  ASSERT_EQ(::send(peers.back().get(), "HTTP/1.1 200 OK\r\n", 17, 0), 17);
  EXPECT_FALSE(pool.take(1));
}

TEST_F(Idling, OldOnesGo) {
  pool.put(1, connection(), 20);
  run_until([&] { return pool.size() == 0; });
  SUCCEED();
}

TEST_F(Idling, NumberIsBounded) {
  for (std::size_t i = 0; i < IdlePool::kMostPerServer + 10; ++i) pool.put(1, connection(), 10'000);
  EXPECT_EQ(pool.size(), IdlePool::kMostPerServer);
}

}  // namespace
}  // namespace limpet::upstream
