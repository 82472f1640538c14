// A receiver may send, close, drop, pause, hand over or destroy its Socket within any call.
#include <gmock/gmock.h>

#include "peers.h"

namespace limpet::ws {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Within : Peers {
  std::function<void()> destroy = [this] { socket = {}; };
  std::function<void()> close = [this] { socket.close(1000); };
  std::function<void()> drop = [this] { socket.drop(); };
  void nothing_is_left() {
    answers();
    EXPECT_EQ(hub.leaving(), 0u);
    EXPECT_TRUE(client_sees_end());
  }
};

TEST_F(Within, MessageMayDestroyAndItsBytesLiveUntilItReturns) {
  for (const std::string& bytes :
       {text("first") + text("second"), frame(0x01, "fir") + frame(0x80, "st") + text("x")}) {
    server = {};
    open();
    server.when_message = [&](Kind, std::string_view body) {
      socket = {};
      EXPECT_EQ(body, "first");
    };
    say(bytes);
    EXPECT_THAT(server.heard, ElementsAre("text first"));
    nothing_is_left();
  }
}

TEST_F(Within, MessageMayCloseThenDestroy) {
  open();
  server.when_message = [&](Kind, std::string_view) {
    send("bye");
    socket.close(1001);
    socket = {};
  };
  say(text("a") + text("b"));
  EXPECT_THAT(server.heard, ElementsAre("text a"));
  EXPECT_THAT(answer(), ElementsAre("text bye", "close 1001"));
  EXPECT_EQ(hub.leaving(), 1u);
  say(close_frame(1001));
  nothing_is_left();
  EXPECT_THAT(server.heard, ElementsAre("text a"));
}

TEST_F(Within, MessageMayDropThenDestroy) {
  open();
  server.when_message = [&](Kind, std::string_view) {
    socket.drop();
    socket = {};
  };
  say(text("a") + text("b"));
  EXPECT_THAT(server.heard, ElementsAre("text a"));
  nothing_is_left();
}

TEST_F(Within, MessageMayDropAndIsToldTheEnd) {
  open();
  server.when_message = [&](Kind, std::string_view) { drop(); };
  say(text("a") + text("b") + close_frame(1000));
  EXPECT_THAT(server.heard, ElementsAre("text a", "end closed_by_us 1006"));
  nothing_is_left();
}

TEST_F(Within, MessageMayOverfillAndDestroy) {
  Options options;
  options.max_queued = 1000;
  open(options);
  server.when_message = [&](Kind, std::string_view) {
    for (int i = 0; i < 1000; ++i) send(std::string(10'000, 'x'));
    socket = {};
  };
  say(text("a"));
  EXPECT_THAT(server.heard, ElementsAre("text a"));
  EXPECT_EQ(hub.leaving(), 0u);
}

TEST_F(Within, PongMayDestroy) {
  open();
  server.when_pong = destroy;
  say(frame(0x8a, "p") + text("a"));
  EXPECT_THAT(server.heard, ElementsAre("pong p"));
  nothing_is_left();
}

TEST_F(Within, PongMayClose) {
  open();
  server.when_pong = close;
  say(frame(0x8a, "p") + text("a") + close_frame(1000));
  EXPECT_THAT(server.heard, ElementsAre("pong p", "end closed_by_us 1000"));
  nothing_is_left();
}

TEST_F(Within, DrainMayDestroy) {
  open();
  server.when_drained = destroy;
  send("a");
  EXPECT_THAT(answer(), ElementsAre("text a"));
  nothing_is_left();
}

TEST_F(Within, DrainMayCloseOrSendMore) {
  open();
  server.when_drained = [&] {
    if (server.drained == 1) return send("more");
    close();
  };
  send("a");
  EXPECT_THAT(answer(), ElementsAre("text a", "text more", "close 1000"));
}

TEST_F(Within, DrainOfASlowReaderMayDestroy) {
  open();
  while (socket.idle()) {
    send(std::string(50'000, 'x'));
    turn();
  }
  server.when_drained = destroy;
  answers();
  nothing_is_left();
}

TEST_F(Within, EndMayDestroyAndTheCloseStillLeaves) {
  const std::vector<std::pair<std::string, std::string>> endings = {
      {close_frame(1000), "close 1000"}, {"\x81\x01x", "close 1002"}, {text("\xff"), "close 1007"}};
  for (const auto& [bytes, answer_of_it] : endings) {
    server = {};
    open();
    server.when_end = destroy;
    say(bytes);
    EXPECT_THAT(answer(), ElementsAre(answer_of_it));
    EXPECT_TRUE(client_sees_end());
    client.reset();
    turn(2);
    EXPECT_EQ(hub.leaving(), 0u);
  }
}

TEST_F(Within, EndOfALostConnectionMayDestroy) {
  open();
  server.when_end = destroy;
  client.reset();
  turn(2);
  EXPECT_TRUE(server.ended);
  EXPECT_EQ(hub.leaving(), 0u);
}

TEST_F(Within, EndAtTheDeadlineMayDestroy) {
  open();
  server.when_end = destroy;
  socket.close(1000, {}, 5);
  until([&] { return server.ended; });
  nothing_is_left();
}

TEST_F(Within, EndAtTheTurnsEndMayDestroy) {
  open();
  server.when_end = destroy;
  socket.drop();
  turn();
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_us 1006"));
  nothing_is_left();
}

TEST_F(Within, EndMayAskForAnythingAndNothingComesOfIt) {
  open();
  server.when_end = [&] {
    send("late");
    socket.ping("late");
    socket.pause();
    socket.resume();
    socket.close(1001);
    socket.drop();
    EXPECT_FALSE(socket.idle());
  };
  say(close_frame(1000));
  EXPECT_THAT(answer(), ElementsAre("close 1000"));
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_peer 1000"));
  turn(2);
  EXPECT_TRUE(client_sees_end());
}

TEST_F(Within, MessageMayHandTheRestToAnother) {
  open();
  Listener second;
  Socket kept;
  server.when_message = [&](Kind, std::string_view) {
    socket.hand_to(second);
    kept = std::move(socket);
  };
  say(text("a") + text("b") + close_frame(1000));
  EXPECT_THAT(server.heard, ElementsAre("text a"));
  EXPECT_THAT(second.heard, ElementsAre("text b", "end closed_by_peer 1000"));
}

// The other one has bytes to read in the same turn, and a frame to send at its end.
TEST_F(Within, MessageMayDestroyAnotherSocket) {
  open();
  Listener second;
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  const net::Fd other(fds[1]);
  Socket another(hub, net::Stream(loop, net::Fd(fds[0])), {}, second);
  const auto kill = [&](Kind, std::string_view) {
    if (server.heard.size() + second.heard.size() > 1) return;
    (server.heard.empty() ? socket : another) = {};
  };
  server.when_message = second.when_message = kill;
  const std::string bytes = text("a");
  ASSERT_EQ(::send(other.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  ASSERT_EQ(::send(client.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  send("never");
  another.send(Message::make(Kind::text, {"never"}));
  turn(2);
  EXPECT_EQ(server.heard.size() + second.heard.size(), 1u);
}

TEST_F(Within, EarlyBytesMayDestroy) {
  open({}, text("a") + text("b"));
  server.when_message = [&](Kind, std::string_view) { destroy(); };
  turn();
  EXPECT_THAT(server.heard, ElementsAre("text a"));
  nothing_is_left();
}

TEST_F(Within, DestructionBeforeTheFirstTurnIsFine) {
  open({}, text("a"), "HTTP/1.1 101");
  socket = {};
  nothing_is_left();
  EXPECT_THAT(server.heard, IsEmpty());
}

TEST_F(Within, LoopMayEndBeforeThoseWhoLeave) {
  open();
  send("bye");
  socket.close(1000);
  socket = {};
  EXPECT_EQ(hub.leaving(), 1u);  // the Hub takes it along
}

struct ShortLinger : Peers {
  ShortLinger() : Peers(10) {}
};

TEST_F(ShortLinger, RefusedPeerThatStaysIsCut) {
  open();
  server.when_end = [&] { socket = {}; };
  say("\x81\x01x");
  EXPECT_EQ(hub.leaving(), 1u);
  until([&] { return hub.leaving() == 0; });
}

TEST_F(ShortLinger, PeerThatDoesNotReadOurCloseIsCut) {
  open();
  while (socket.idle()) {
    send(std::string(50'000, 'x'));
    turn();
  }
  server.when_end = [&] { socket = {}; };
  say(close_frame(1000));
  EXPECT_TRUE(server.ended);
  until([&] { return hub.leaving() == 0; });
}

}  // namespace
}  // namespace limpet::ws
