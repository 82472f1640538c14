#include "proxy/net/connect.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

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
          std::uint64_t within = 5'000) {
    const auto list = std::make_shared<const Target::Addresses>(std::move(addresses));
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
  const Fd full(::socket(AF_INET, SOCK_STREAM, 0));
  Address address = loopback(0);
  ASSERT_EQ(::bind(full.get(), address.raw(), address.length()), 0);
  ASSERT_EQ(::listen(full.get(), 0), 0);
  socklen_t length = Address::kCapacity;
  ::getsockname(full.get(), address.raw(), &length);
  std::vector<ConnectStart> fill;
  for (int i = 0; i < 4; ++i) fill.push_back(start_connect(loop, address));
  EXPECT_EQ(run({address}, {}, 100), ETIMEDOUT);
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
  const Fd full(::socket(AF_INET, SOCK_STREAM, 0));
  Address silent = loopback(0);
  ASSERT_EQ(::bind(full.get(), silent.raw(), silent.length()), 0);
  ASSERT_EQ(::listen(full.get(), 0), 0);
  socklen_t length = Address::kCapacity;
  ::getsockname(full.get(), silent.raw(), &length);
  std::vector<ConnectStart> fill;
  for (int i = 0; i < 4; ++i) fill.push_back(start_connect(loop, silent));
  EXPECT_EQ(run({silent, listener.address}, {}, 200), 0);
}

}  // namespace
}  // namespace limpet::net
