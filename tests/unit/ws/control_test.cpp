// RFC 6455, sections 5.5 (control frames), 7 (closing) and 8.1 (UTF-8).
#include <gmock/gmock.h>

#include "peers.h"

namespace limpet::ws {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::string_literals;

struct Control : Peers {
  void refuses(std::string_view bytes, unsigned code) {
    server = {};
    open();
    say(bytes);
    EXPECT_THAT(server.heard, ElementsAre("end protocol_error " + std::to_string(code)));
    EXPECT_THAT(answer(), ElementsAre("close " + std::to_string(code)));
    EXPECT_TRUE(client_sees_end());
  }
};
using Closing = Control;
using Characters = Control;

// --- ping and pong (5.5.2, 5.5.3) ---

TEST_F(Control, PingIsAnsweredWithItsBody) {
  open();
  say(ping("") + ping("\0\xff"s) + ping(std::string(125, 'x')));
  EXPECT_THAT(answer(), ElementsAre("pong ", "pong \0\xff"s, "pong " + std::string(125, 'x')));
  EXPECT_THAT(server.heard, IsEmpty());
  EXPECT_EQ(server.pings, 3);
}

TEST_F(Control, PingOf126BytesIsRefused) {  // 5.5
  refuses(ping(std::string(126, 'x')), 1002);
}

TEST_F(Control, FragmentedControlFrameIsRefused) {  // 5.5
  for (const std::uint8_t first : {0x08, 0x09, 0x0a}) refuses(frame(first, ""), 1002);
}

TEST_F(Control, UnaskedPongIsFine) {
  open();
  say(frame(0x8a, "hm") + text("x"));
  EXPECT_THAT(server.heard, ElementsAre("pong hm", "text x"));
  EXPECT_THAT(answer(), IsEmpty());
}

TEST_F(Control, OurPingCarriesItsBody) {
  open();
  socket.ping("who");
  EXPECT_THAT(answer(), ElementsAre("ping who"));
}

TEST_F(Control, PongsComeAfterWhatIsQueuedBefore) {
  open();
  server.when_message = [&](Kind, std::string_view body) { send(body); };
  say(text("a") + ping("b") + text("c"));
  EXPECT_THAT(answer(), ElementsAre("text a", "pong b", "text c"));
}

TEST_F(Control, CutPingIsAnsweredOnceItIsWhole) {
  open();
  const std::string bytes = ping("whole");
  for (const char byte : bytes) {
    EXPECT_THAT(answer(), IsEmpty());
    say({&byte, 1});
  }
  EXPECT_THAT(answer(), ElementsAre("pong whole"));
}

// --- closing (5.5.1, 7) ---

TEST_F(Closing, PeersCloseIsAnsweredAsItIsAndTheConnectionEnds) {
  open();
  say(close_frame(1000, "bye"));
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_peer 1000 bye"));
  EXPECT_THAT(answer(), ElementsAre("close 1000 bye"));
  EXPECT_TRUE(client_sees_end());  // 7.1.1: the server first
}

TEST_F(Closing, CloseWithoutACodeIs1005AndAnsweredWithoutOne) {
  open();
  say(frame(0x88, ""));
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_peer 1005"));
  EXPECT_THAT(answer(), ElementsAre("close"));
  EXPECT_TRUE(client_sees_end());
}

TEST_F(Closing, EveryCodeThatMayTravelIsEchoed) {  // 7.4
  for (const unsigned code : {1001u, 1003u, 1007u, 1011u, 1014u, 3000u, 4999u}) {
    server = {};
    open();
    say(close_frame(code));
    EXPECT_THAT(answer(), ElementsAre("close " + std::to_string(code)));
  }
}

TEST_F(Closing, CodeThatMayNotTravelIsRefused) {  // 7.4.1, 7.4.2
  for (const unsigned code : {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1100u, 2999u, 5000u, 65535u})
    refuses(close_frame(code), 1002);
}

TEST_F(Closing, CloseOfOneByteIsRefused) {
  refuses(frame(0x88, "x"), 1002);
}

TEST_F(Closing, ReasonThatIsNotUtf8IsRefused) {
  refuses(close_frame(1000, "\xc3"), 1007);
  refuses(close_frame(1000, "\xed\xa0\x80"), 1007);
}

TEST_F(Closing, LongestReasonPasses) {
  open();
  say(close_frame(1000, std::string(123, 'r')));
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_peer 1000 " + std::string(123, 'r')));
}

TEST_F(Closing, WhatWasQueuedLeavesBeforeTheAnswer) {
  open();
  server.when_message = [&](Kind, std::string_view body) { send(body); };
  say(text("a") + text("b") + close_frame(1001));
  EXPECT_THAT(answer(), ElementsAre("text a", "text b", "close 1001"));
}

TEST_F(Closing, NothingIsReadAfterThePeersClose) {
  open();
  say(close_frame(1000) + text("late") + ping("late"));
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_peer 1000"));
  EXPECT_THAT(answer(), ElementsAre("close 1000"));
}

TEST_F(Closing, OurCloseWaitsForThePeers) {
  open();
  send("last");
  socket.close(1001, "going");
  EXPECT_THAT(answer(), ElementsAre("text last", "close 1001 going"));
  EXPECT_FALSE(client_sees_end());
  EXPECT_THAT(server.heard, IsEmpty());
  say(close_frame(1001));
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_us 1001"));
  EXPECT_TRUE(client_sees_end());
}

TEST_F(Closing, OurCloseMayHaveNoCode) {
  open();
  socket.close(0);
  EXPECT_THAT(answer(), ElementsAre("close"));
  say(frame(0x88, ""));
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_us 1005"));
}

TEST_F(Closing, TooLongAReasonIsCutBetweenCharacters) {
  open();
  std::string reason(122, 'r');
  socket.close(4000, reason + "é" + "more");
  EXPECT_THAT(answer(), ElementsAre("close 4000 " + reason));
}

TEST_F(Closing, MessagesAfterOurCloseAreDroppedAndNothingIsSent) {
  open();
  socket.close(1000);
  send("late");
  socket.ping("late");
  EXPECT_FALSE(socket.idle());
  say(text("late") + ping("late") + frame(0x01, "cut") + close_frame(1000));
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_us 1000"));
  EXPECT_THAT(answer(), ElementsAre("close 1000"));
}

TEST_F(Closing, SecondCloseSaysNothing) {
  open();
  socket.close(1000);
  socket.close(1001);
  EXPECT_THAT(answer(), ElementsAre("close 1000"));
}

TEST_F(Closing, PeerThatDoesNotAnswerIsCutAtTheDeadline) {
  open();
  socket.close(1000, {}, 10);
  until([&] { return server.ended; });
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_us 1000"));
  EXPECT_THAT(answer(), ElementsAre("close 1000"));
  EXPECT_TRUE(client_sees_end());
}

TEST_F(Closing, PeerThatHangsUpInsteadEndsOurClose) {
  open();
  socket.close(1000);
  turn();
  client.reset();
  turn(2);
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_us 1000"));
}

TEST_F(Closing, FaultAfterOurCloseIsItsEnd) {
  open();
  socket.close(1000);
  say("\x81\x01x");
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_us 1000"));
  EXPECT_THAT(answer(), ElementsAre("close 1000"));
  EXPECT_TRUE(client_sees_end());
}

TEST_F(Closing, EndWithoutACloseIs1006) {  // 7.1.5
  open();
  client.reset();
  turn(2);
  EXPECT_THAT(server.heard, ElementsAre("end connection_lost 1006"));
}

TEST_F(Closing, EndWithinAMessageIs1006) {
  open();
  say(text("whole") + text("cut").substr(0, 7));
  client.reset();
  turn(2);
  EXPECT_THAT(server.heard, ElementsAre("text whole", "end connection_lost 1006"));
}

TEST_F(Closing, MessagesBeforeAnEndAreAnswered) {
  open();
  server.when_message = [&](Kind, std::string_view body) { send(body); };
  say(text("last"));
  ::shutdown(client.get(), SHUT_WR);
  turn(3);
  EXPECT_THAT(answer(), ElementsAre("text last"));
  EXPECT_THAT(server.heard, ElementsAre("text last", "end connection_lost 1006"));
}

// A write that fails first does not hide what the peer said last.
TEST_F(Closing, CloseIsFoundBehindABrokenConnection) {
  open();
  ASSERT_TRUE(::send(client.get(), close_frame(1000).data(), close_frame(1000).size(), 0) > 0);
  client.reset();
  send("to nobody");
  loop.post([&] { loop.stop(); });
  loop.run();
  turn(2);
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_peer 1000"));
}

TEST_F(Closing, DropEndsItAtTheEndOfTheTurn) {
  open();
  send("never");
  socket.drop();
  EXPECT_THAT(server.heard, IsEmpty());
  turn();
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_us 1006"));
  EXPECT_THAT(answer(), IsEmpty());
  EXPECT_TRUE(client_sees_end());
}

TEST_F(Closing, RefusedPeerThatKeepsWritingStillReadsWhy) {
  open();
  say("\x81\x01x");
  for (int i = 0; i < 10; ++i) say(std::string(100'000, 'x'));
  EXPECT_THAT(answer(), ElementsAre("close 1002"));
  EXPECT_TRUE(client_sees_end());
  client.reset();
  turn(2);
}

// --- UTF-8 (8.1) ---

TEST_F(Characters, InvalidTextIsRefused) {
  refuses(text("\xff"), 1007);
  refuses(text("ends in the middle \xe2\x82"), 1007);
  refuses(text("\xed\xa0\x80"), 1007);
}

TEST_F(Characters, CharacterMayBeCutByFragments) {
  open();
  say(frame(0x01, "\xe2") + frame(0x00, "\x82") + ping("p") + frame(0x80, "\xac"));
  EXPECT_THAT(server.heard, ElementsAre("text €"));
}

TEST_F(Characters, CharacterMayBeCutByReads) {
  open();
  const std::string bytes = text("€");
  for (const char byte : bytes) say({&byte, 1});
  EXPECT_THAT(server.heard, ElementsAre("text €"));
}

TEST_F(Characters, InvalidFragmentIsRefusedAtOnce) {
  refuses(frame(0x01, "\xe2") + frame(0x00, "x"), 1007);
}

TEST_F(Characters, InvalidPartOfAFrameIsRefusedAtOnce) {
  refuses(text("good, then \xff" + std::string(1000, 'x')).substr(0, 30), 1007);
}

TEST_F(Characters, CharacterThatNeverEndsIsRefused) {
  refuses(frame(0x01, "\xe2\x82") + frame(0x80, ""), 1007);
}

TEST_F(Characters, BinaryIsNotLookedAt) {
  open();
  say(binary("\xff\xfe"));
  EXPECT_THAT(server.heard, ElementsAre("binary \xff\xfe"));
}

TEST_F(Characters, CheckCanBeLeftOut) {
  open({.check_utf8 = false});
  say(text("\xff") + frame(0x01, "\xff") + frame(0x80, "\xe2"));
  EXPECT_THAT(server.heard, ElementsAre("text \xff", "text \xff\xe2"));
}

struct ManyWhoLeave : Peers {};

TEST_F(ManyWhoLeave, AreNotWaitedForAboveTheLimit) {
  hub.limit_leaving(2);
  std::vector<net::Fd> clients;
  for (int i = 0; i < 6; ++i) {
    open();
    socket.close(1008, "full");
    socket = {};
    clients.push_back(std::move(client));
  }
  until([&] { return hub.leaving() <= 2; });
  EXPECT_EQ(hub.leaving(), 2u);
  for (net::Fd& each : clients) {
    client = std::move(each);
    EXPECT_EQ(answer(), std::vector<std::string>{"close 1008 full"});
    EXPECT_EQ(client_sees_end(), hub.leaving() <= 2 && &each - clients.data() >= 2);
  }
}

}  // namespace
}  // namespace limpet::ws
