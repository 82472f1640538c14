// TCP Fast Open, in a network of the test's own where servers may grant it: what goes out with the SYN, and
// that a connect which fails is a failed connect.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "proxy/net/connect.h"
#include "proxy/net/listener.h"

namespace limpet::net {
namespace {

constexpr int kNotHere = 77;

bool write_file(const char* path, std::string_view text) {
  const Fd fd(::open(path, O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool enter_own_network() {
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  return ::ioctl(any.get(), SIOCSIFFLAGS, &loopback) == 0 &&
         write_file("/proc/sys/net/ipv4/tcp_fastopen", "3");
}

// In a child process: a network cannot be left again.
void in_own_network(void (*body)()) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!enter_own_network()) ::_exit(kNotHere);
    body();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotHere) GTEST_SKIP() << "no network of one's own can be had here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

struct Server {
  BoundListener listener = bind_listener(Address::ip(*wire::IpAddress::parse("127.0.0.1"), 0), 1);
  explicit Server(bool grants = true) {
    const int queue = grants ? 16 : 0;
    ::setsockopt(fd(), IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
  }
  int fd() const { return listener.sockets[0].get(); }
  Fd accept() const {
    pollfd wait{fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&wait, 1, 5'000), 1);
    return Fd(::accept(fd(), nullptr, nullptr));
  }
};

std::string read_some(const Fd& fd) {
  char bytes[100];
  pollfd wait{fd.get(), POLLIN, 0};
  if (::poll(&wait, 1, 5'000) != 1) return "(nothing)";
  const ssize_t got = ::recv(fd.get(), bytes, sizeof(bytes), 0);
  return got > 0 ? std::string(bytes, static_cast<std::size_t>(got)) : "(end)";
}

bool came_with_the_syn(const Fd& accepted) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  ::getsockopt(accepted.get(), IPPROTO_TCP, TCP_INFO, &info, &size);
  return (info.tcpi_options & TCPI_OPT_SYN_DATA) != 0;
}

struct Client {
  Loop loop;
  Connect connect{loop, delegate<&Client::on_done>(this)};
  bool ended = false;
  void on_done() { loop.stop(); }
  void start(Target::Addresses addresses, std::uint64_t within_ms = 5'000) {
    ended = connect.start(std::make_shared<const Target::Addresses>(std::move(addresses)), {}, 0, within_ms,
                          {"hello", true});
  }
  int result() {
    if (!ended) loop.run();
    return connect.error();
  }
};

// The first connect to an address brings the cookie that later ones need.
void learn_cookie() {
  const Server server;
  Client client;
  client.start({server.listener.address});
  EXPECT_EQ(client.result(), 0);
  EXPECT_EQ(client.connect.early_sent(), 0u);
}

TEST(FastOpen, TheSecondConnectCarriesTheBytes) {
  in_own_network([] {
    learn_cookie();
    const Server server;
    Client client;
    client.start({server.listener.address});
    EXPECT_EQ(client.result(), 0);
    EXPECT_EQ(client.connect.early_sent(), 5u);
    const Fd accepted = server.accept();
    EXPECT_TRUE(came_with_the_syn(accepted));
    EXPECT_EQ(read_some(accepted), "hello");
    client.connect.stream().close();
    EXPECT_EQ(read_some(accepted), "(end)") << "and only once";
  });
}

TEST(FastOpen, AServerThatGrantsItNoMoreGetsTheBytesOnceAllTheSame) {
  in_own_network([] {
    learn_cookie();
    const Server server(false);
    Client client;
    client.start({server.listener.address});
    EXPECT_EQ(client.result(), 0);
    const Fd accepted = server.accept();
    EXPECT_FALSE(came_with_the_syn(accepted));
    EXPECT_EQ(client.connect.early_sent(), 5u);
    EXPECT_EQ(read_some(accepted), "hello");
    client.connect.stream().close();
    EXPECT_EQ(read_some(accepted), "(end)");
  });
}

TEST(FastOpen, ARefusedConnectIsAFailedOneAndTheNextAddressIsTried) {
  in_own_network([] {
    learn_cookie();
    const Address closed = Server().listener.address;
    Client refused;
    refused.start({closed});
    EXPECT_EQ(refused.result(), ECONNREFUSED);
    const Server server;
    Client client;
    client.start({closed, server.listener.address});
    EXPECT_EQ(client.result(), 0);
    EXPECT_EQ(read_some(server.accept()), "hello");
  });
}

TEST(FastOpen, ASilentServerEndsAtTheDeadline) {
  in_own_network([] {
    learn_cookie();
    const Fd full(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    Address address = Address::ip(*wire::IpAddress::parse("127.0.0.1"), 0);
    EXPECT_EQ(::bind(full.get(), address.raw(), address.length()), 0);
    EXPECT_EQ(::listen(full.get(), 0), 0);
    socklen_t length = Address::kCapacity;
    ::getsockname(full.get(), address.raw(), &length);
    Loop loop;
    std::vector<ConnectStart> fill;
    for (int i = 0; i < 4; ++i) fill.push_back(start_connect(loop, address));
    Client client;
    client.start({address}, 200);
    EXPECT_EQ(client.result(), ETIMEDOUT);
  });
}

TEST(FastOpen, AResetAfterTheBytesWereTakenIsNoFailedConnect) {
  in_own_network([] {
    learn_cookie();
    const Server server;
    Client client;
    client.start({server.listener.address});
    {
      const Fd accepted = server.accept();
      EXPECT_EQ(read_some(accepted), "hello");
      const linger at_once{1, 0};
      ::setsockopt(accepted.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    EXPECT_EQ(client.result(), 0);
    char byte;
    const IoResult end = client.connect.stream().read({&byte, 1});
    EXPECT_TRUE(end.status == Io::eof || end.status == Io::error);
  });
}

TEST(FastOpen, WithoutACookieItIsAConnectLikeAnyOther) {
  const BoundListener listener = bind_listener(Address::ip(*wire::IpAddress::parse("127.0.0.1"), 0), 1);
  Client client;
  client.start({listener.address});
  EXPECT_EQ(client.result(), 0);
  EXPECT_EQ(client.connect.early_sent(), 0u);
}

}  // namespace
}  // namespace limpet::net
