#include "proxy/net/stream.h"
#include "proxy/net/connect.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "proxy/net/listener.h"

namespace limpet::net {
namespace {

struct Pair {
  Loop loop;
  Stream near;
  Fd far;
  int calls = 0;
  Pair() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    near = Stream(loop, Fd(fds[0]));
    far = Fd(fds[1]);
  }
  void stop() {
    ++calls;
    loop.stop();
  }
  void count() { ++calls; }
  void close_both() {
    ++calls;
    near.close();
    loop.stop();
  }
};

TEST(Stream, WaitsUntilReadableAndReads) {
  Pair p;
  p.near.wait_read(delegate<&Pair::stop>(&p));
  ASSERT_EQ(::write(p.far.get(), "hello", 5), 5);
  p.loop.run();
  char into[16];
  const IoResult got = p.near.read(into);
  EXPECT_EQ(got.status, Io::ok);
  EXPECT_EQ(std::string_view(into, got.bytes), "hello");
  EXPECT_EQ(p.near.read(into).status, Io::again);
}

TEST(Stream, WaitFindsBytesThatCameBeforeIt) {
  Pair p;
  ASSERT_EQ(::write(p.far.get(), "x", 1), 1);
  p.loop.post([&] { p.near.wait_read(delegate<&Pair::stop>(&p)); });
  p.loop.run();
  EXPECT_EQ(p.calls, 1);
}

TEST(Stream, CancelledWaiterIsNotCalledAndTheNextIs) {
  Pair p;
  p.near.wait_read(delegate<&Pair::count>(&p));
  p.near.cancel_read();
  ASSERT_EQ(::write(p.far.get(), "x", 1), 1);
  p.loop.post([&] { p.near.wait_read(delegate<&Pair::stop>(&p)); });
  p.loop.run();
  EXPECT_EQ(p.calls, 1);
}

TEST(Stream, WaiterMayDestroyItsStream) {
  Pair p;
  p.near.wait_read(delegate<&Pair::close_both>(&p));
  p.near.wait_write(delegate<&Pair::count>(&p));
  p.near.cancel_write();
  ASSERT_EQ(::write(p.far.get(), "x", 1), 1);
  p.loop.run();
  EXPECT_EQ(p.calls, 1);
  EXPECT_FALSE(p.near);
}

TEST(Stream, SocketOfTheGuestStaysOpenAndCallsNobodyElse) {
  Pair p;
  struct Hears final : Guest {
    void on_event(std::uint64_t token, std::uint32_t) override { last = token; }
    void on_deadline(TimerNode&) override {}
    std::uint64_t last = 0;
  } guest;
  p.loop.invite(guest);
  p.near.wait_read(delegate<&Pair::count>(&p));
  bool taken = false;
  const Fd fd = p.near.move_to_guest(Loop::kGuestToken | 7, taken);
  EXPECT_TRUE(taken);
  ASSERT_EQ(::write(p.far.get(), "x", 1), 1);
  p.loop.post([&] { p.loop.stop(); });
  p.loop.run();
  EXPECT_EQ(p.calls, 0);
  EXPECT_EQ(guest.last, Loop::kGuestToken | 7);
  char byte;
  EXPECT_EQ(::read(fd.get(), &byte, 1), 1);
}

TEST(Stream, PeersEndIsEof) {
  Pair p;
  p.near.wait_read(delegate<&Pair::stop>(&p));
  p.far.reset();
  p.loop.run();
  char into[4];
  EXPECT_EQ(p.near.read(into).status, Io::eof);
}

TEST(Stream, AnEndThatCameWithTheBytesIsFoundAfterThem) {
  struct Reader {
    Pair pair;
    std::string seen;
    void on_readable() {
      char into[16];
      const IoResult got = pair.near.read(into);
      if (got.status == Io::eof) {
        seen += '.';
        pair.loop.stop();
        return;
      }
      seen.append(into, got.bytes);
      pair.near.wait_read(delegate<&Reader::on_readable>(this));
    }
  } reader;
  reader.pair.near.wait_read(delegate<&Reader::on_readable>(&reader));
  ASSERT_EQ(::write(reader.pair.far.get(), "hello", 5), 5);
  reader.pair.far.reset();
  reader.pair.loop.run();
  EXPECT_EQ(reader.seen, "hello.");
}

TEST(Stream, WaiterThatLeavesBytesIsCalledAgain) {
  struct Reader {
    Pair pair;
    std::string seen;
    void on_readable() {
      char one;
      if (pair.near.read({&one, 1}).status == Io::ok) seen += one;
      if (seen.size() == 5) return pair.loop.stop();
      pair.near.wait_read(delegate<&Reader::on_readable>(this));
    }
  } reader;
  reader.pair.near.wait_read(delegate<&Reader::on_readable>(&reader));
  ASSERT_EQ(::write(reader.pair.far.get(), "hello", 5), 5);
  reader.pair.loop.run();
  EXPECT_EQ(reader.seen, "hello");
}

TEST(Stream, StreamClosedInTheSameBatchIsNotCalled) {
  struct Two {
    Loop loop;
    Stream streams[2];
    Fd far[2];
    int calls = 0;
    void on_readable() {
      ++calls;
      for (Stream& each : streams) each.close();
      loop.stop();
    }
  } two;
  for (int i = 0; i < 2; ++i) {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    two.streams[i] = Stream(two.loop, Fd(fds[0]));
    two.far[i] = Fd(fds[1]);
    two.streams[i].wait_read(delegate<&Two::on_readable>(&two));
    ASSERT_EQ(::write(fds[1], "x", 1), 1);
  }
  two.loop.run();
  EXPECT_EQ(two.calls, 1);
}

TEST(Stream, WriterThatFilledTheSocketIsCalledWhenThereIsRoom) {
  struct Writer {
    Pair pair;
    std::size_t sent = 0;
    const std::string block = std::string(64 * 1024, 'x');
    void fill() {
      IoResult put;
      while ((put = pair.near.write(block)).status == Io::ok) sent += put.bytes;
      pair.near.wait_write(delegate<&Writer::on_writable>(this));
    }
    void on_writable() { pair.stop(); }
    void read_all() {
      std::vector<char> into(1 << 20);
      while (::read(pair.far.get(), into.data(), into.size()) > 0) {
      }
    }
  } writer;
  writer.fill();
  writer.pair.loop.post([&] {
    EXPECT_EQ(writer.pair.calls, 0);
    writer.read_all();
  });
  writer.pair.loop.run();
  EXPECT_EQ(writer.pair.calls, 1);
  EXPECT_GT(writer.sent, 0u);
}

TEST(Timer, FiresOnceOnTheLoop) {
  struct Owner {
    Loop loop;
    int fired = 0;
    Timer timer{loop, delegate<&Owner::on_expiry>(this)};
    void on_expiry() {
      ++fired;
      loop.stop();
    }
  } owner;
  const std::uint64_t start = now_ms();
  owner.timer.after(20);
  owner.loop.run();
  EXPECT_EQ(owner.fired, 1);
  EXPECT_GE(now_ms() - start, 20u);
  EXPECT_FALSE(owner.timer.armed());
}

TEST(Timer, EarlierDeadlineSetLaterStillFiresFirst) {
  struct Owner {
    Loop loop;
    std::string order;
    Timer late{loop, delegate<&Owner::on_late>(this)};
    Timer soon{loop, delegate<&Owner::on_soon>(this)};
    void on_late() {
      order += 'l';
      loop.stop();
    }
    void on_soon() { order += 's'; }
  } owner;
  owner.late.after(60);
  owner.soon.after(10);
  owner.loop.run();
  EXPECT_EQ(owner.order, "sl");
}

struct Accepting {
  Loop loop;
  BoundListener bound;
  std::unique_ptr<Acceptor> acceptor;
  std::vector<Fd> accepted;
  explicit Accepting(const Address& address, std::uint32_t workers = 1)
      : bound(bind_listener(address, workers)) {
    EXPECT_EQ(bound.error, "");
    acceptor = std::make_unique<Acceptor>(loop, std::move(bound.sockets[0]), [this](Fd fd, const Address&) {
      accepted.push_back(std::move(fd));
      loop.stop();
    });
    acceptor->start();
  }
};

Address loopback(std::uint16_t port) {
  return Address::ip(*wire::IpAddress::parse("127.0.0.1"), port);
}

TEST(Listener, PortZeroIsTheKernelsChoiceAndAllWorkersShareIt) {
  const BoundListener bound = bind_listener(loopback(0), 4);
  ASSERT_EQ(bound.error, "");
  EXPECT_NE(bound.address.port(), 0);
  EXPECT_EQ(bound.sockets.size(), 4u);
}

TEST(Listener, AddressInUseNamesItsHolder) {
  const BoundListener first = bind_listener(loopback(0), 1);
  const BoundListener second = bind_listener(loopback(first.address.port()), 1);
  EXPECT_NE(second.error.find("Address already in use"), std::string::npos) << second.error;
  EXPECT_NE(second.error.find("pid " + std::to_string(::getpid())), std::string::npos) << second.error;
}

TEST(Listener, ConnectIsAccepted) {
  Accepting a(loopback(0));
  const ConnectStart start = start_connect(a.loop, a.bound.address);
  ASSERT_EQ(start.error, 0);
  a.loop.run();
  EXPECT_EQ(a.accepted.size(), 1u);
}

TEST(Listener, StaleUnixFileIsReplacedAndALiveOneIsNot) {
  const std::string path = testing::TempDir() + "limpet-listener-" + std::to_string(::getpid());
  const Address address = *Address::unix_socket(path);
  { const BoundListener dead = bind_listener(address, 1); }
  const BoundListener live = bind_listener(address, 2);
  EXPECT_EQ(live.error, "");
  const BoundListener again = bind_listener(address, 1);
  EXPECT_NE(again.error.find("in use"), std::string::npos) << again.error;
  ::unlink(path.c_str());
}

TEST(Connect, RefusedConnectIsToldByTakeError) {
  struct Waiting {
    Loop loop;
    Stream stream;
    void on_done() { loop.stop(); }
  } w;
  std::uint16_t port;
  {
    const BoundListener bound = bind_listener(loopback(0), 1);
    port = bound.address.port();
  }
  ConnectStart start = start_connect(w.loop, loopback(port));
  ASSERT_TRUE(start.stream || start.error == ECONNREFUSED);
  if (!start.stream) return;
  w.stream = std::move(start.stream);
  w.stream.wait_write(delegate<&Waiting::on_done>(&w));
  w.loop.run();
  EXPECT_EQ(w.stream.take_error(), ECONNREFUSED);
}

}  // namespace
}  // namespace limpet::net
