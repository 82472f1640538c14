#include "proxy/net/connect.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "proxy/net/listener.h"

namespace limpet::net {
namespace {

Address loopback(std::uint16_t port) {
  return Address::ip(*wire::IpAddress::parse("127.0.0.1"), port);
}
std::uint16_t closed_port() {
  return bind_listener(loopback(0), 1).address.port();
}

struct Connecting : testing::Test {
  Loop loop;
  BoundListener listener = bind_listener(loopback(0), 1);
  Connect connect{loop, delegate<&Connecting::on_done>(this)};
  int calls = 0;
  void on_done() {
    ++calls;
    loop.stop();
  }
  int run(Target::Addresses addresses, std::vector<wire::IpAddress> sources = {},
          std::uint64_t within = 5'000, const Early& early = {}) {
    const auto list = std::make_shared<const Target::Addresses>(std::move(addresses));
    if (!connect.start(list, sources, 0, within, early)) loop.run();
    return connect.error();
  }
  Fd accept() {
    pollfd ready{listener.sockets[0].get(), POLLIN, 0};
    EXPECT_EQ(::poll(&ready, 1, 5'000), 1);
    return Fd(::accept(listener.sockets[0].get(), nullptr, nullptr));
  }
};

// A port that takes no more connections and refuses none.
struct Silent {
  Fd socket{::socket(AF_INET, SOCK_STREAM, 0)};
  Address address = loopback(0);
  std::vector<ConnectStart> fill;
  explicit Silent(Loop& loop) {
    EXPECT_EQ(::bind(socket.get(), address.raw(), address.length()), 0);
    EXPECT_EQ(::listen(socket.get(), 0), 0);
    socklen_t length = Address::kCapacity;
    ::getsockname(socket.get(), address.raw(), &length);
    for (int i = 0; i < 4; ++i) fill.push_back(start_connect(loop, address));
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
  Address peer;
  socklen_t length = Address::kCapacity;
  pollfd ready{listener.sockets[0].get(), POLLIN, 0};
  ASSERT_EQ(::poll(&ready, 1, 5'000), 1);
  const Fd accepted(::accept(listener.sockets[0].get(), peer.raw(), &length));
  peer.set_length(length);
  EXPECT_EQ(peer.ip_address()->text(), "127.0.0.9");
}

TEST_F(Connecting, SourceThatIsNotOursFailsAsAShortage) {
  EXPECT_TRUE(is_local_shortage(run({listener.address}, {*wire::IpAddress::parse("192.0.2.1")})));
}

TEST_F(Connecting, FullBacklogEndsAtTheDeadline) {
  const Silent silent(loop);
  EXPECT_EQ(run({silent.address}, {}, 100), ETIMEDOUT);
}

TEST_F(Connecting, EarlyBytesLeaveWithTheConnectOnThisHost) {
  EXPECT_EQ(run({listener.address}, {}, 5'000, {"hello"}), 0);
  EXPECT_EQ(connect.early_sent(), 5u);
  const Fd accepted = accept();
  char bytes[8];
  EXPECT_EQ(::recv(accepted.get(), bytes, sizeof(bytes), 0), 5);
}

TEST_F(Connecting, EarlyBytesDoNotHideARefusal) {
  EXPECT_EQ(run({loopback(closed_port())}, {}, 5'000, {"hello"}), ECONNREFUSED);
  EXPECT_EQ(run({loopback(closed_port()), listener.address}, {}, 5'000, {"hello"}), 0);
  EXPECT_EQ(connect.early_sent(), 5u);
}

// Whoever resets before a byte was sent can have seen none: that is no server that a request may be lost to.
TEST_F(Connecting, EarlyBytesAreNeverTakenForSentWhereTheyWereNot) {
  std::atomic<bool> over{false};
  std::thread server([&] {
    const linger at_once{1, 0};
    while (!over) {
      pollfd ready{listener.sockets[0].get(), POLLIN, 0};
      if (::poll(&ready, 1, 50) != 1) continue;
      const Fd accepted(::accept(listener.sockets[0].get(), nullptr, nullptr));
      ::setsockopt(accepted.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
  });
  for (int i = 0; i < 500; ++i) {
    const bool connected = run({listener.address}, {}, 5'000, {"hello"}) == 0;
    ASSERT_TRUE(!connected || connect.early_sent() == 5u);
  }
  over = true;
  server.join();
}

TEST_F(Connecting, EarlyBytesWaitForAServerThatDoesNotAccept) {
  const Silent silent(loop);
  EXPECT_EQ(run({silent.address, listener.address}, {}, 200, {"hello"}), 0);
  EXPECT_EQ(connect.early_sent(), 5u);
  EXPECT_EQ(run({silent.address}, {}, 100, {"hello"}), ETIMEDOUT);
}

// A Unix socket whose server does not accept: its queue is full, which is no shortage of ours.
struct Queue {
  std::string path = "/tmp/limpet-connect-test-" + std::to_string(::getpid()) + ".sock";
  Address address = *Address::unix_socket(path);
  Fd listening{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::vector<ConnectStart> fill;
  explicit Queue(Loop& loop) {
    ::unlink(path.c_str());
    EXPECT_EQ(::bind(listening.get(), address.raw(), address.length()), 0);
    EXPECT_EQ(::listen(listening.get(), 1), 0);
    while (!fill.emplace_back(start_connect(loop, address)).busy) {
    }
  }
  ~Queue() { ::unlink(path.c_str()); }
};

TEST_F(Connecting, UnixSocketWhoseQueueIsFullIsWaitedFor) {
  Queue queue(loop);
  struct Accepts {
    void on_expiry() { ::close(::accept(queue.listening.get(), nullptr, nullptr)); }
    Queue& queue;
  } accepts{queue};
  Timer later(loop, delegate<&Accepts::on_expiry>(&accepts));
  later.after(50);
  EXPECT_EQ(run({queue.address}), 0);
}

TEST_F(Connecting, UnixSocketWhoseQueueStaysFullEndsAtTheDeadline) {
  Queue queue(loop);
  EXPECT_EQ(run({queue.address}, {}, 100), ETIMEDOUT);
}

TEST_F(Connecting, SilentAddressLeavesTimeForTheNext) {
  const Silent silent(loop);
  EXPECT_EQ(run({silent.address, listener.address}, {}, 200), 0);
}

}  // namespace
}  // namespace limpet::net
