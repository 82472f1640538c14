// RFC 6455, sections 5.1 to 5.4, 5.6 and 10.4 as a server sees them.
#include <gmock/gmock.h>

#include "backend/budget/share.h"
#include "peers.h"
#include "tests/unit/net/turns.h"

namespace limpet::ws {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::string_literals;

struct Framing : Peers {
  void refuses(std::string_view bytes, unsigned code) {
    say(bytes);
    EXPECT_THAT(server.heard, ElementsAre("end protocol_error " + std::to_string(code)));
    EXPECT_THAT(answer(), ElementsAre("close " + std::to_string(code)));
    EXPECT_TRUE(client_sees_end());
  }
};

TEST_F(Framing, TextAndBinaryComeUpAsTheyAre) {
  open();
  say(text("κόσμε") + binary("\0\xff\x80"s) + text("") + binary(""));
  EXPECT_THAT(server.heard, ElementsAre("text κόσμε", "binary \0\xff\x80"s, "text ", "binary "));
}

TEST_F(Framing, MessageOfEveryFormOfLengthComesUp) {
  open();
  for (const std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 300'000}) {
    server.heard.clear();
    say(binary(std::string(size, 'x')));
    EXPECT_THAT(server.heard, ElementsAre("binary " + std::string(size, 'x'))) << size;
  }
}

TEST_F(Framing, AnyPiecesOfTheBytesAreTheSameMessages) {
  const std::string bytes = text("one") + frame(0x01, "t") + ping("!") + frame(0x80, std::string(200, 'w')) +
                            binary(std::string(70'000, 'b')) + text("");
  for (const std::size_t piece : {1, 2, 3, 5, 7, 100, 4096}) {
    server = {};
    open();
    for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
      if (piece < 100 && rest.size() > 300 &&
          rest.size() < 70'000) {  // of the large one not every byte alone
        say(rest.substr(0, rest.size() - 299));
        rest.remove_prefix(rest.size() - 299);
      }
      say(rest.substr(0, piece));
    }
    EXPECT_THAT(server.heard, ElementsAre("text one", "text t" + std::string(200, 'w'),
                                          "binary " + std::string(70'000, 'b'), "text "));
    EXPECT_THAT(answer(), ElementsAre("pong !"));
  }
}

TEST_F(Framing, ManyMessagesOfOneReadComeUpInOrder) {
  open();
  std::string bytes;
  std::vector<std::string> expected;
  for (int i = 0; i < 500; ++i) {
    bytes += text(std::to_string(i));
    expected.push_back("text " + std::to_string(i));
  }
  say(bytes);
  EXPECT_EQ(server.heard, expected);
}

// Others have their turn meanwhile.
TEST_F(Framing, BurstIsHandedUpInPieces) {
  open();
  net::Turns turns(loop);
  std::vector<int> at;
  server.when_message = [&](Kind, std::string_view) {
    at.push_back(turns.count);
    if (at.size() == 700) socket.pause();
  };
  std::string burst;
  std::vector<std::string> expected;
  for (int i = 0; i < 2000; ++i) {
    burst += text(std::to_string(i));
    expected.push_back("text " + std::to_string(i));
  }
  say(burst);
  until([&] { return at.size() >= 700; });
  turn(5);
  EXPECT_EQ(at.size(), 700u);
  socket.resume();
  until([&] { return at.size() == 2000; });
  EXPECT_EQ(server.heard, expected);
  for (std::size_t i = 0; i + 513 < at.size(); ++i) EXPECT_LT(at[i], at[i + 513]);
  say(text("next"));
  until([&] { return server.heard.back() == "text next"; });
}

TEST_F(Framing, BurstOfOneWhoHasGoneIsHeard) {
  open();
  std::string burst;
  for (int i = 0; i < 2000; ++i) burst += text(std::to_string(i));
  burst += close_frame(1000);
  server.when_message = [&](Kind, std::string_view) { send("answer"); };
  ASSERT_EQ(::send(client.get(), burst.data(), burst.size(), 0), static_cast<ssize_t>(burst.size()));
  client.reset();
  until([&] { return server.ended; });
  ASSERT_EQ(server.heard.size(), 2001u);
  EXPECT_EQ(server.heard[1999], "text 1999");
  EXPECT_EQ(server.heard.back(), "end closed_by_peer 1000");
}

struct CutMessages : Peers {
  CutMessages() : Peers(60'000, 50) {}
};

TEST_F(CutMessages, OfWhichNothingMoreComesEndTheConnection) {
  for (const std::string& start : {frame(0x01, "frag"), text("long").substr(0, 8), text("x").substr(0, 1)}) {
    server = {};
    open();
    say(start);
    until([&] {
      say(start[0] == 0x01 ? ping("still here") : "");
      return server.ended;
    });
    EXPECT_EQ(server.heard.back(), "end protocol_error 1008");
  }
}

TEST_F(CutMessages, CountForTheBudget) {
  const std::size_t before = budget::total;
  open();
  const std::string whole = text(std::string(50'000, 'x'));
  say(whole.substr(0, 40'000));
  turn();
  EXPECT_GE(budget::total - before, 39'000U);
  EXPECT_EQ(socket.holds(), budget::total - before);
  say(whole.substr(40'000));
  turn();
  EXPECT_EQ(server.heard.size(), 1U);
  EXPECT_EQ(socket.holds(), 0U);
  EXPECT_EQ(budget::total, before);
}

TEST_F(CutMessages, ThatGoOnAreWaitedFor) {
  open();
  say(frame(0x01, "a"));
  const std::uint64_t end = net::now_ms() + 120;
  std::string whole = "a";
  until([&] {
    say(frame(0x00, "b"));
    whole += 'b';
    return net::now_ms() >= end;
  });
  say(frame(0x80, "c"));
  say(text("whole"));
  const std::uint64_t later = net::now_ms() + 80;
  until([&] { return net::now_ms() >= later; });
  EXPECT_EQ(server.heard, (std::vector<std::string>{"text " + whole + "c", "text whole"}));
}

TEST_F(Framing, ServersFramesAreNotMasked) {  // 5.1; spell() looks
  open();
  send("plain");
  EXPECT_EQ(answers(), "\x81\x05plain");
}

TEST_F(Framing, UnmaskedFrameIsRefused) {  // 5.1
  open();
  refuses("\x81\x05hello", 1002);
}

TEST_F(Framing, UnmaskedControlFrameIsRefused) {
  open();
  refuses("\x89\x00"s, 1002);
}

TEST_F(Framing, EachReservedBitIsRefused) {  // 5.2
  for (const std::uint8_t bit : {0x40, 0x20, 0x10}) {
    for (const std::uint8_t first : {0x81, 0x82, 0x88, 0x89, 0x8a}) {
      server = {};
      open();
      refuses(frame(static_cast<std::uint8_t>(first | bit), ""), 1002);
    }
  }
}

TEST_F(Framing, ReservedBitOfAContinuationIsRefused) {
  open();
  refuses(frame(0x01, "a") + frame(0x80 | 0x40, "b"), 1002);
}

TEST_F(Framing, ReservedOpcodesAreRefused) {  // 5.2
  for (const std::uint8_t opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    server = {};
    open();
    refuses(frame(static_cast<std::uint8_t>(0x80 | opcode), ""), 1002);
  }
}

TEST_F(Framing, LengthNotInItsShortestFormIsRefused) {  // 5.2
  open();
  refuses("\x82\xfe\x00\x7d"s + "keys", 1002);
}

TEST_F(Framing, LengthOf64BitsIsRefused) {  // 5.2
  open();
  refuses("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"s + "keys", 1002);
}

TEST_F(Framing, FragmentsAreOneMessage) {  // 5.4
  open();
  say(frame(0x01, "Hel") + frame(0x00, "") + frame(0x00, "l") + frame(0x80, "o"));
  EXPECT_THAT(server.heard, ElementsAre("text Hello"));
}

TEST_F(Framing, FragmentsThatHoldNothingAreAMessage) {
  open();
  say(frame(0x02, "") + frame(0x00, "") + frame(0x80, ""));
  EXPECT_THAT(server.heard, ElementsAre("binary "));
}

TEST_F(Framing, ControlFramesComeBetweenFragments) {  // 5.4, 5.5
  open();
  say(frame(0x01, "Hel") + ping("p") + frame(0x8a, "q") + frame(0x80, "lo"));
  EXPECT_THAT(server.heard, ElementsAre("pong q", "text Hello"));
  EXPECT_THAT(answer(), ElementsAre("pong p"));
}

TEST_F(Framing, CloseBetweenFragmentsEndsIt) {
  open();
  say(frame(0x01, "Hel") + close_frame(1000));
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_peer 1000"));
}

TEST_F(Framing, ContinuationOfNothingIsRefused) {  // 5.4
  for (const std::uint8_t first : {0x00, 0x80}) {
    server = {};
    open();
    refuses(frame(first, "x"), 1002);
  }
}

TEST_F(Framing, ContinuationAfterTheLastFragmentIsRefused) {
  open();
  say(frame(0x01, "a") + frame(0x80, "b"));
  server.heard.clear();
  refuses(frame(0x80, "c"), 1002);
}

TEST_F(Framing, NewMessageBetweenFragmentsIsRefused) {  // 5.4
  for (const std::uint8_t first : {0x01, 0x81, 0x02, 0x82}) {
    server = {};
    open();
    refuses(frame(0x01, "a") + frame(first, "b"), 1002);
  }
}

TEST_F(Framing, MessageOfTheLimitPassesAndOneMoreByteIsTooBig) {  // 10.4
  open({.max_message = 200});
  say(binary(std::string(200, 'x')));
  EXPECT_THAT(server.heard, ElementsAre("binary " + std::string(200, 'x')));
  server.heard.clear();
  refuses(binary(std::string(201, 'x')), 1009);
}

TEST_F(Framing, TooBigAMessageIsRefusedByItsHeadAlone) {
  open({.max_message = 200});
  refuses(binary(std::string(201, 'x')).substr(0, 8), 1009);
}

TEST_F(Framing, FragmentsCountTogether) {
  open({.max_message = 200});
  say(frame(0x02, std::string(150, 'x')) + frame(0x80, std::string(50, 'y')));
  EXPECT_EQ(server.heard.size(), 1u);
  server.heard.clear();
  refuses(frame(0x02, std::string(150, 'x')) + frame(0x80, std::string(51, 'y')).substr(0, 8), 1009);
}

TEST_F(Framing, LimitOfNothingLetsNothingPass) {
  open({.max_message = 0});
  say(text(""));
  EXPECT_THAT(server.heard, ElementsAre("text "));
  server.heard.clear();
  refuses(text("x"), 1009);
}

TEST_F(Framing, ControlFramesHaveTheirOwnLimit) {
  open({.max_message = 0});
  say(ping(std::string(125, 'p')));
  EXPECT_THAT(answer(), ElementsAre("pong " + std::string(125, 'p')));
}

TEST_F(Framing, BytesAfterAFaultAreNotRead) {
  open();
  say("\x81\x05hello" + text("late"));
  EXPECT_THAT(server.heard, ElementsAre("end protocol_error 1002"));
}

TEST_F(Framing, EarlyBytesComeUpFirst) {
  const std::string bytes = text("early") + text("cut");
  open({}, bytes.substr(0, bytes.size() - 2));
  EXPECT_THAT(server.heard, IsEmpty()) << "not from within the constructor";
  say(bytes.substr(bytes.size() - 2) + text("late"));
  EXPECT_THAT(server.heard, ElementsAre("text early", "text cut", "text late"));
}

TEST_F(Framing, UnsentBytesOfTheHandshakeGoOutFirst) {
  open({}, text("x"), "HTTP/1.1 101");
  server.when_message = [&](Kind, std::string_view) { send("a"); };
  EXPECT_EQ(answers(),
            "HTTP/1.1 101\x81\x01"
            "a");
}

}  // namespace
}  // namespace limpet::ws
