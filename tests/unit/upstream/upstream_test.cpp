#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "proxy/net/listener.h"
#include "proxy/upstream/connect.h"
#include "proxy/upstream/idle_pool.h"

namespace limpet::upstream {
namespace {

net::Address loopback(std::uint16_t port) {
  return net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), port);
}
std::uint16_t closed_port() {
  return net::bind_listener(loopback(0), 1).address.port();
}

struct Connecting : testing::Test {
  net::Loop loop;
  net::BoundListener listener = net::bind_listener(loopback(0), 1);
  Connect connect{loop, net::delegate<&Connecting::on_done>(this)};
  int calls = 0;
  void on_done() {
    ++calls;
    loop.stop();
  }
  int run(net::Target::Addresses addresses, std::vector<wire::IpAddress> sources = {},
          std::uint64_t within = 5'000) {
    const auto list = std::make_shared<const net::Target::Addresses>(std::move(addresses));
    if (!connect.start(list, sources, 0, within)) loop.run();
    return connect.error();
  }
};

TEST_F(Connecting, ConnectsAndTellsOnce) {
  EXPECT_EQ(run({listener.address}), 0);
  EXPECT_TRUE(connect.stream());
  EXPECT_LE(calls, 1);
}

TEST_F(Connecting, AddressesAreTriedInTurn) {
  EXPECT_EQ(run({loopback(closed_port()), listener.address}), 0);
  EXPECT_EQ(run({loopback(closed_port()), loopback(closed_port())}), ECONNREFUSED);
}

TEST_F(Connecting, NoAddressIsAFailureAtOnce) {
  EXPECT_EQ(run({}), EHOSTUNREACH);
}

TEST_F(Connecting, ConnectsFromTheSourceAddress) {
  EXPECT_EQ(run({listener.address}, {*wire::IpAddress::parse("127.0.0.9")}), 0);
  net::Address peer;
  socklen_t length = net::Address::kCapacity;
  pollfd ready{listener.sockets[0].get(), POLLIN, 0};
  ASSERT_EQ(::poll(&ready, 1, 5'000), 1);
  const net::Fd accepted(::accept(listener.sockets[0].get(), peer.raw(), &length));
  peer.set_length(length);
  EXPECT_EQ(peer.ip_address()->text(), "127.0.0.9");
}

TEST_F(Connecting, SourceThatIsNotOursFailsAsAShortage) {
  EXPECT_TRUE(net::is_local_shortage(run({listener.address}, {*wire::IpAddress::parse("192.0.2.1")})));
}

TEST_F(Connecting, FullBacklogEndsAtTheDeadline) {
  const net::Fd full(::socket(AF_INET, SOCK_STREAM, 0));
  net::Address address = loopback(0);
  ASSERT_EQ(::bind(full.get(), address.raw(), address.length()), 0);
  ASSERT_EQ(::listen(full.get(), 0), 0);
  socklen_t length = net::Address::kCapacity;
  ::getsockname(full.get(), address.raw(), &length);
  std::vector<net::ConnectStart> fill;
  for (int i = 0; i < 4; ++i) fill.push_back(net::start_connect(loop, address));
  EXPECT_EQ(run({address}, {}, 100), ETIMEDOUT);
}

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
  EXPECT_EQ(pool.take(1, false).fd(), newest);
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_FALSE(pool.take(2, false));
}

TEST_F(Idling, ConnectionThatItsServerClosesGoes) {
  pool.put(1, connection(), 10'000);
  peers.clear();
  run_until([&] { return pool.size() == 0; });
  EXPECT_FALSE(pool.take(1, false));
}

TEST_F(Idling, ClosedOneIsNotGivenOutWhereItIsLookedAt) {
  pool.put(1, connection(), 10'000);
  pool.put(1, connection(), 10'000);
  peers.back().reset();
  EXPECT_TRUE(pool.take(1, true));
  EXPECT_EQ(pool.size(), 0u);
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
