// RFC 7692 as a server sees it.
#include "backend/ws/deflate.h"

#include <gmock/gmock.h>

#include <random>

#include "peers.h"

namespace limpet::ws {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

constexpr std::uint8_t kText = 0x81, kMore = 0x01, kLast = 0x80, kDeflated = 0x40;

std::string answered(std::string_view offers, Deflate mode) {
  return answer_of(negotiate(offers, mode));
}

// --- the handshake (5, 7.1) ---

TEST(Negotiation, NothingIsAgreedWhereItIsOffOrNotOffered) {
  EXPECT_EQ(answered("permessage-deflate", Deflate::off), "");
  EXPECT_EQ(answered("", Deflate::shared), "");
  EXPECT_EQ(answered("x-webkit-deflate-frame", Deflate::dedicated), "");
}

TEST(Negotiation, SharedTakesNoContextOverEitherWay) {
  const auto both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  EXPECT_EQ(answered("permessage-deflate; client_max_window_bits", Deflate::shared), both);
  EXPECT_EQ(answered("permessage-deflate; server_max_window_bits=15", Deflate::shared), both);
}

TEST(Negotiation, SharedPassesOverOffersThatWantASmallerWindow) {
  EXPECT_EQ(answered("permessage-deflate; server_max_window_bits=10", Deflate::shared), "");
  EXPECT_NE(answered("permessage-deflate; server_max_window_bits=10, permessage-deflate", Deflate::shared),
            "");
}

TEST(Negotiation, DedicatedDoesAsItIsTold) {
  EXPECT_EQ(answered("permessage-deflate; client_max_window_bits", Deflate::dedicated), "permessage-deflate");
  EXPECT_EQ(answered("permessage-deflate; server_max_window_bits=9; server_no_context_takeover",
                     Deflate::dedicated),
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=9");
  EXPECT_EQ(answered("permessage-deflate; client_no_context_takeover", Deflate::dedicated),
            "permessage-deflate; client_no_context_takeover");
}

TEST(Negotiation, WindowOf256BytesIsPassedOver) {  // zlib has none
  EXPECT_EQ(answered("permessage-deflate; server_max_window_bits=8", Deflate::dedicated), "");
}

// --- messages ---

struct Deflated : Peers {
  void open_with(Deflate mode, std::string_view offers = "permessage-deflate",
                 std::uint32_t most = 1'000'000) {
    server = {};
    Options options;
    options.max_message = most;
    options.deflate = negotiate(offers, mode);
    ASSERT_NE(options.deflate.mode, Deflate::off);
    open(options);
  }
  void refuses(std::string_view bytes, unsigned code) {
    say(bytes);
    EXPECT_THAT(server.heard, ElementsAre("end protocol_error " + std::to_string(code)));
    EXPECT_THAT(answer(), ElementsAre("close " + std::to_string(code)));
  }
  std::string squeeze(std::string_view body) { return std::string(theirs.deflate(body)); }
  std::string inflated(std::string_view line, Inflater& inflater) {
    EXPECT_TRUE(line.starts_with("deflated text ")) << line.substr(0, 30);
    std::string_view body;
    EXPECT_EQ(inflater.inflate(line.substr(14), 10'000'000, body), Inflater::Result::whole);
    return std::string(body);
  }
  std::vector<char> out, in;
  Deflater theirs{out, 15, false};
  Inflater forgetful{in, false};
};

const std::string kHello = "\xf2\x48\xcd\xc9\xc9\x07\x00"s;  // 7.2.3.1

TEST_F(Deflated, RfcsHelloIsHello) {
  open_with(Deflate::shared);
  say(frame(kText | kDeflated, kHello));
  EXPECT_THAT(server.heard, ElementsAre("text Hello"));
}

TEST_F(Deflated, RfcsFragmentsAreHello) {  // RSV1 on the first only
  open_with(Deflate::shared);
  say(frame(kMore | kDeflated, kHello.substr(0, 3)) + ping("p") + frame(kLast, kHello.substr(3)));
  EXPECT_THAT(server.heard, ElementsAre("text Hello"));
}

TEST_F(Deflated, BlockWithoutCompressionIsRead) {  // 7.2.3.3
  open_with(Deflate::shared);
  say(frame(kText | kDeflated, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s));
  EXPECT_THAT(server.heard, ElementsAre("text Hello"));
}

TEST_F(Deflated, FinalBlockIsRead) {  // 7.2.3.4
  for (const Deflate mode : {Deflate::shared, Deflate::dedicated}) {
    open_with(mode);
    const std::string final = "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s;
    say(frame(kText | kDeflated, final) + frame(kText | kDeflated, final.substr(0, 7)) +
        frame(kText | kDeflated, kHello));
    EXPECT_THAT(server.heard, ElementsAre("text Hello", "text Hello", "text Hello"));
  }
}

TEST_F(Deflated, TwoBlocksAreOneMessage) {  // 7.2.3.5
  open_with(Deflate::shared);
  say(frame(kText | kDeflated, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s));
  EXPECT_THAT(server.heard, ElementsAre("text Hello"));
}

TEST_F(Deflated, EmptyMessageIsOneByte) {  // 7.2.3.6
  open_with(Deflate::shared);
  say(frame(kText | kDeflated, "\0"s));
  EXPECT_THAT(server.heard, ElementsAre("text "));
}

TEST_F(Deflated, NoByteAtAllIsRefused) {
  open_with(Deflate::shared);
  refuses(frame(kText | kDeflated, ""), 1007);
}

TEST_F(Deflated, WindowIsKeptWhereItWasAgreed) {  // 7.2.3.2
  open_with(Deflate::dedicated);
  say(frame(kText | kDeflated, kHello) + frame(kText | kDeflated, "\xf2\x00\x11\x00\x00"s));
  EXPECT_THAT(server.heard, ElementsAre("text Hello", "text Hello"));
}

TEST_F(Deflated, WindowIsForgottenWhereItWasAgreed) {
  open_with(Deflate::shared);
  say(frame(kText | kDeflated, kHello));
  server.heard.clear();
  refuses(frame(kText | kDeflated, "\xf2\x00\x11\x00\x00"s), 1007);
}

TEST_F(Deflated, PlainMessagesComeBetweenCompressedOnes) {
  open_with(Deflate::dedicated);
  say(frame(kText | kDeflated, kHello) + text("plain") + frame(kText | kDeflated, "\xf2\x00\x11\x00\x00"s));
  EXPECT_THAT(server.heard, ElementsAre("text Hello", "text plain", "text Hello"));
}

TEST_F(Deflated, Rsv1IsRefusedWithoutAnAgreement) {
  open();
  refuses(frame(kText | kDeflated, kHello), 1002);
}

TEST_F(Deflated, Rsv1OnAContinuationIsRefused) {  // 6.1
  open_with(Deflate::shared);
  refuses(frame(kMore | kDeflated, kHello.substr(0, 3)) + frame(kLast | kDeflated, kHello.substr(3)), 1002);
}

TEST_F(Deflated, Rsv1OnControlFramesIsRefused) {  // 6.1
  for (const std::uint8_t first : {0x88, 0x89, 0x8a}) {
    open_with(Deflate::shared);
    refuses(frame(first | kDeflated, ""), 1002);
  }
}

TEST_F(Deflated, OtherReservedBitsStayRefused) {
  for (const std::uint8_t bit : {0x20, 0x10}) {
    open_with(Deflate::shared);
    refuses(frame(static_cast<std::uint8_t>(kText | kDeflated | bit), kHello), 1002);
  }
}

TEST_F(Deflated, DamagedBytesAreRefused) {
  for (const Deflate mode : {Deflate::shared, Deflate::dedicated}) {
    open_with(mode);
    refuses(frame(kText | kDeflated, "\xff\xff\xff"), 1007);
  }
}

TEST_F(Deflated, BytesThatEndWithinABlockAreRefused) {
  open_with(Deflate::shared);
  const std::string whole = squeeze(std::string(100, 'a') + "bcdefghij");
  refuses(frame(kText | kDeflated, whole.substr(0, whole.size() / 2)), 1007);
}

TEST_F(Deflated, CharactersAreCheckedAfterInflation) {
  open_with(Deflate::shared);
  refuses(frame(kText | kDeflated, squeeze("\xc3 is cut")), 1007);
}

TEST_F(Deflated, LimitIsOfTheInflatedSizeAndInclusive) {
  open_with(Deflate::shared, "permessage-deflate", 50'000);
  say(frame(kText | kDeflated, squeeze(std::string(50'000, 'a'))));
  EXPECT_THAT(server.heard, ElementsAre("text " + std::string(50'000, 'a')));
  server.heard.clear();
  refuses(frame(kText | kDeflated, squeeze(std::string(50'001, 'a'))), 1009);
}

TEST_F(Deflated, BombIsRefusedAtTheBound) {
  for (const Deflate mode : {Deflate::shared, Deflate::dedicated}) {
    open_with(mode, "permessage-deflate", 100'000);
    refuses(frame(kText | kDeflated, squeeze(std::string(50'000'000, '\0'))), 1009);
  }
}

TEST_F(Deflated, BombInFragmentsIsRefusedAtTheBound) {
  open_with(Deflate::shared, "permessage-deflate", 100'000);
  const std::string bomb = squeeze(std::string(50'000'000, '\0'));
  refuses(frame(kMore | kDeflated, bomb.substr(0, 100)) + frame(kLast, bomb.substr(100)), 1009);
}

TEST_F(Deflated, LimitHoldsForTheCompressedSizeToo) {
  open_with(Deflate::shared, "permessage-deflate", 100);
  refuses(frame(kText | kDeflated, std::string(101, 'x')).substr(0, 8), 1009);
}

TEST_F(Deflated, LargeMessagesComeThrough) {
  open_with(Deflate::shared);
  std::string body(900'000, ' ');
  std::mt19937 random(1);
  for (char& c : body) c = static_cast<char>('a' + random() % 20);
  say(frame(kText | kDeflated, squeeze(body)));
  EXPECT_EQ(server.heard.at(0), "text " + body);
}

// --- what we send ---

TEST_F(Deflated, LongMessageIsCompressedAndAShortOneIsNot) {
  open_with(Deflate::shared);
  const std::string body(1024, 'a');
  send(body.substr(1));
  send(body);
  socket.ping("p");
  const auto got = answer();
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0], "text " + body.substr(1));
  EXPECT_EQ(inflated(got[1], forgetful), body);
  EXPECT_EQ(got[2], "ping p");
}

TEST_F(Deflated, MessageThatDoesNotShrinkGoesOutPlain) {
  open_with(Deflate::shared);
  std::string noise(2000, ' ');
  std::mt19937 random(1);
  for (char& c : noise) c = static_cast<char>(random());
  socket.send(Message::make(Kind::binary, {noise}));
  EXPECT_THAT(answer(), ElementsAre("binary " + noise));
}

TEST_F(Deflated, MessageIsCompressedOnceForAll) {
  const MessageRef message = Message::make(Kind::text, {std::string(5000, 'b')});
  const std::string_view frame = message->deflated_frame();
  EXPECT_LT(frame.size(), 100u);
  EXPECT_EQ(message->deflated_frame().data(), frame.data());
  EXPECT_EQ(message->frame().size(), 5004u);
}

TEST_F(Deflated, DedicatedCompressesEveryMessageInItsWindow) {
  open_with(Deflate::dedicated);
  Inflater mindful(in, true);
  for (const char* body : {"the same text", "the same text", "", "the same text", "other"}) {
    send(body);
    const auto got = answer();
    EXPECT_EQ(inflated(got.at(0), mindful), body);
  }
}

TEST_F(Deflated, DedicatedForgetsWhereItIsTold) {
  open_with(Deflate::dedicated, "permessage-deflate; server_no_context_takeover");
  const std::string body(3000, 'x');
  send("short");
  send(body);
  send(body);
  const auto got = answer();
  EXPECT_EQ(got.at(0), "text short");
  EXPECT_EQ(inflated(got.at(1), forgetful), body);
  EXPECT_EQ(inflated(got.at(2), forgetful), body);
}

TEST_F(Deflated, SmallWindowIsKeptTo) {
  open_with(Deflate::dedicated, "permessage-deflate; server_max_window_bits=9");
  std::string body;
  std::mt19937 random(1);
  std::string part(700, ' ');
  for (char& c : part) c = static_cast<char>('a' + random() % 26);
  for (int i = 0; i < 4; ++i) body += part;  // repeats lie 700 bytes back: out of a window of 512
  send(body);
  const auto got = answer();
  Inflater mindful(in, true);
  EXPECT_EQ(inflated(got.at(0), mindful), body);
  EXPECT_GT(got.at(0).size(), 1500u);
}

TEST_F(Deflated, CloseIsNeverCompressed) {
  open_with(Deflate::dedicated);
  socket.close(1000, "why");
  EXPECT_THAT(answer(), ElementsAre("close 1000 why"));
}

}  // namespace
}  // namespace limpet::ws
