// What a Socket sends: one call a turn, slow readers, limits, pauses.
#include <gmock/gmock.h>

#include "backend/budget/share.h"
#include "backend/ws/queue.h"
#include "peers.h"

namespace limpet::ws {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Sending : Peers {
  // Fills the kernel's buffer until something stays behind.
  void block(std::size_t each = 50'000) {
    while (socket.idle()) {
      send(std::string(each, 'x'));
      ++sent;
      turn();
    }
    server.drained = 0;
  }
  std::size_t sent = 0;
};

TEST_F(Sending, NothingLeavesBeforeTheTurnsEnd) {
  open();
  EXPECT_TRUE(socket.idle());
  send("a");
  EXPECT_FALSE(socket.idle());
  EXPECT_EQ(socket.queued(), 3u);
  char byte;
  EXPECT_LT(::recv(client.get(), &byte, 1, MSG_PEEK), 0);
  turn();
  EXPECT_TRUE(socket.idle());
  EXPECT_EQ(socket.queued(), 0u);
  EXPECT_EQ(server.drained, 1);
  EXPECT_THAT(answer(), ElementsAre("text a"));
}

// A datagram a call: so many calls are seen.
TEST_F(Sending, AllThatIsDueInATurnLeavesInOneCall) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  client = net::Fd(fds[1]);
  socket = Socket(hub, net::Stream(loop, net::Fd(fds[0])), {}, server);
  for (int i = 0; i < 40; ++i) send(std::to_string(i));
  turn();
  char bytes[4096];
  const ssize_t got = ::recv(client.get(), bytes, sizeof(bytes), 0);
  ASSERT_GT(got, 0);
  EXPECT_THAT(spell({bytes, static_cast<std::size_t>(got)}), SizeIs(40));
}

TEST_F(Sending, MoreFramesThanACallTakesAllLeaveInOrder) {
  open();
  std::vector<std::string> expected;
  for (int i = 0; i < 3000; ++i) {
    send(std::to_string(i));
    expected.push_back("text " + std::to_string(i));
  }
  EXPECT_EQ(answer(), expected);
}

TEST_F(Sending, SlowReaderGetsEverythingInOrder) {
  open();
  block();
  for (int i = 0; i < 100; ++i) send("after " + std::to_string(i));
  EXPECT_FALSE(socket.idle());
  const auto got = answer();
  ASSERT_THAT(got, SizeIs(sent + 100));
  EXPECT_EQ(got[0], "text " + std::string(50'000, 'x'));
  EXPECT_EQ(got.back(), "text after 99");
  EXPECT_TRUE(socket.idle());
  EXPECT_EQ(server.drained, 1);
}

TEST_F(Sending, AnyShortWriteGoesOnWhereItStopped) {
  open();
  std::string expected;
  for (int i = 0; i < 400; ++i) {
    const std::string body(static_cast<std::size_t>(i) * 37 % 5000, static_cast<char>('a' + i % 26));
    expected += Message::make(Kind::text, {body})->frame();
    send(body);
  }
  std::string got;
  char part[777];
  for (int idle = 0; idle < 10;) {
    turn();
    const ssize_t size = ::recv(client.get(), part, sizeof(part), 0);
    if (size <= 0) {
      ++idle;
      continue;
    }
    got.append(part, static_cast<std::size_t>(size));
    idle = 0;
  }
  EXPECT_EQ(got, expected);
}

TEST_F(Sending, ReaderWhoTakesNothingIsEndedAtTheLimit) {
  Options options;
  options.max_queued = 10'000;
  open(options);
  block(9'000);
  for (int i = 0; i < 20; ++i) send(std::string(1'000, 'y'));
  EXPECT_THAT(server.heard, IsEmpty()) << "not from within send()";
  EXPECT_FALSE(socket.idle());
  turn();
  EXPECT_THAT(server.heard, ElementsAre("end slow_consumer 1006"));
  send("late");
  turn();
}

TEST_F(Sending, EmptyMessagesCountForTheLimitToo) {
  Options options;
  options.max_queued = 100'000;
  open(options);
  block(1'000);
  for (int i = 0; i < 2'000; ++i) send("");
  turn();
  EXPECT_THAT(server.heard, ElementsAre("end slow_consumer 1006"));
}

TEST_F(Sending, MuchInOneTurnIsNoSlowReader) {
  Options options;
  options.max_queued = 10'000;
  open(options);
  for (int i = 0; i < 50; ++i) send(std::string(1'000, 'y'));
  EXPECT_THAT(answer(), SizeIs(50));
  EXPECT_THAT(server.heard, IsEmpty());
}

TEST_F(Sending, MessageLargerThanTheLimitIsTakenIfItIsAlone) {
  Options options;
  options.max_queued = 10'000;
  open(options);
  send(std::string(1'000'000, 'y'));
  EXPECT_THAT(answer(), ElementsAre("text " + std::string(1'000'000, 'y')));
  EXPECT_THAT(server.heard, IsEmpty());
}

TEST_F(Sending, PingsOfOneWhoReadsNothingComeToAnEnd) {
  Options options;
  options.max_queued = 100'000;
  open(options);
  block();
  for (int i = 0; i < 100 && !server.ended; ++i) {
    std::string pings;
    for (int k = 0; k < 100; ++k) pings += ping("");
    say(pings);
    turn();
    if (::send(client.get(), "", 0, MSG_NOSIGNAL) < 0) break;
  }
  EXPECT_THAT(server.heard, ElementsAre("end slow_consumer 1006"));
}

// A short frame of a long message: the message is what is held.
TEST_F(Sending, CompressedMessagesWeighWhatTheyHold) {
  Options options;
  options.max_queued = 1'000'000;
  options.deflate.mode = Deflate::shared;
  open(options);
  while (socket.idle()) {
    std::string noise(50'000, 'x');
    for (char& each : noise) each = static_cast<char>(std::rand());
    send(noise);
    turn();
  }
  for (int i = 0; i < 20; ++i) send(std::string(100'000, 'y'));
  turn();
  EXPECT_THAT(server.heard, ElementsAre("end slow_consumer 1006"));
}

TEST(QueueWeight, OfCompressedMessagesComesBackToNothing) {
  Queue queue(true);
  const MessageRef message = Message::make(Kind::text, {std::string(100'000, 'y')});
  queue.push(message);
  queue.push(message);
  EXPECT_LT(queue.bytes(), 10'000u);
  EXPECT_GT(queue.weight(), 200'000u);
  EXPECT_EQ(queue.weight(), 2 * queue.weight_of(message));
  queue.consume(queue.bytes());
  EXPECT_EQ(queue.weight(), 0u);
  queue.push(message);
  queue.clear();
  EXPECT_EQ(queue.weight(), 0u);
}

TEST_F(Sending, OfferKnowsWhatACompressedMessageHolds) {
  Options options;
  options.max_queued = 250'000;
  options.deflate.mode = Deflate::shared;
  open(options);
  const auto offer = [&] { return socket.offer(Message::make(Kind::text, {std::string(100'000, 'o')})); };
  int taken = 0;
  while (taken < 100'000 && offer()) ++taken;
  EXPECT_FALSE(offer());
  turn();
  EXPECT_THAT(server.heard, IsEmpty()) << "and it goes on";
}

TEST_F(Sending, OfferLeavesOutWhatASlowReaderHasNoRoomFor) {
  Options options;
  options.max_queued = 10'000;
  open(options);
  const auto offer = [&](std::size_t size) {
    return socket.offer(Message::make(Kind::text, {std::string(size, 'o')}));
  };
  EXPECT_TRUE(offer(50'000)) << "nothing before it";
  EXPECT_TRUE(offer(9'000)) << "the kernel takes it first";
  answers();
  while (offer(9'000)) continue;
  turn();
  EXPECT_FALSE(offer(9'000));
  EXPECT_THAT(server.heard, IsEmpty()) << "and it goes on";
  answers();
  EXPECT_TRUE(offer(9'000));
  socket.close(1000);
  EXPECT_FALSE(offer(1));
}

TEST_F(Sending, OfferOnABrokenConnectionIsItsEnd) {
  Options options;
  options.max_queued = 1'000;
  open(options);
  send("a");
  client.reset();
  EXPECT_FALSE(socket.offer(Message::make(Kind::text, {std::string(2'000, 'o')})));
  turn(2);
  EXPECT_THAT(server.heard, ElementsAre("end connection_lost 1006"));
}

TEST_F(Sending, WhatManyWaitForIsHeldOnce) {
  const std::size_t before = budget::total;
  {
    Queue one(false), other(false);
    const MessageRef message = Message::make(Kind::text, {std::string(100'000, 'y')});
    one.push(message);
    other.push(message);
    EXPECT_GE(budget::total - before, 100'000U);
    EXPECT_LT(budget::total - before, 101'000U);
    one.push(message);
    one.consume(message->frame().size());
    one.clear();
  }
  EXPECT_EQ(budget::total, before);
}

TEST_F(Sending, CompressedFormsAreHeldToo) {
  const std::size_t before = budget::total;
  {
    const MessageRef message = Message::make(Kind::text, {std::string(100'000, 'y')});
    const std::size_t plain = budget::total;
    EXPECT_EQ(budget::total - plain, 0U);
    const std::size_t deflated = message->deflated_frame().size();
    EXPECT_EQ(budget::total - plain, deflated);
  }
  EXPECT_EQ(budget::total, before);
}

TEST_F(Sending, WhoIsDroppedHoldsNothingAnyMore) {
  const std::size_t before = budget::total;
  open();
  block(1'000'000);
  EXPECT_GT(socket.holds(), 500'000U);
  EXPECT_GT(budget::total - before, 500'000U);
  socket.drop(End::slow_consumer);
  EXPECT_EQ(budget::total, before);
  EXPECT_THAT(server.heard, IsEmpty()) << "not from within drop()";
  turn();
  EXPECT_THAT(server.heard, ElementsAre("end slow_consumer 1006"));
}

TEST_F(Sending, WhoseOwnerHasGoneCanBeEvicted) {
  const std::size_t before = budget::total;
  open();
  block(1'000'000);
  socket.close(1000);
  socket = {};
  ASSERT_EQ(hub.leaving(), 1U);
  budget::Census census;
  hub.weigh(census);
  budget::Eviction eviction(census, 1, 1);
  hub.evict(eviction);
  EXPECT_EQ(eviction.taken(), 1U);
  EXPECT_EQ(hub.leaving(), 0U);
  EXPECT_EQ(budget::total, before);
  answers();
  EXPECT_TRUE(client_sees_end());
}

TEST_F(Sending, OneMessageIsSharedByAll) {
  open();
  const MessageRef message = Message::make(Kind::binary, {"sha", "", "red"});
  EXPECT_EQ(message->body(), "shared");
  socket.send(message);
  Listener second;
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  const net::Fd other(fds[1]);
  Socket another(hub, net::Stream(loop, net::Fd(fds[0])), {}, second);
  another.send(message);
  EXPECT_THAT(answer(), ElementsAre("binary shared"));
  char bytes[100];
  EXPECT_EQ(::recv(other.get(), bytes, sizeof(bytes), 0), 8);
}

TEST_F(Sending, ClosingPeerThatReadsNothingIsCutAtTheDeadline) {
  open();
  block();
  socket.close(1000, {}, 20);
  until([&] { return server.ended; });
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_us 1000"));
}

// --- pauses ---

TEST_F(Sending, PausedSocketReadsNothingUntilItIsResumed) {
  open();
  socket.pause();
  say(text("a"));
  EXPECT_THAT(server.heard, IsEmpty());
  socket.resume();
  turn(2);
  EXPECT_THAT(server.heard, ElementsAre("text a"));
}

TEST_F(Sending, PauseWithinAMessageKeepsTheRestForLater) {
  open();
  server.when_message = [&](Kind, std::string_view) { socket.pause(); };
  say(text("a") + text("b") + text("c").substr(0, 5));
  say(text("c").substr(5));
  EXPECT_THAT(server.heard, ElementsAre("text a"));
  socket.resume();
  turn(2);
  EXPECT_THAT(server.heard, ElementsAre("text a", "text b"));
  socket.resume();
  turn(3);
  EXPECT_THAT(server.heard, ElementsAre("text a", "text b", "text c"));
}

TEST_F(Sending, PausedSocketStillSends) {
  open();
  socket.pause();
  send("out");
  EXPECT_THAT(answer(), ElementsAre("text out"));
}

TEST_F(Sending, CloseEndsAPause) {
  open();
  socket.pause();
  socket.close(1000);
  say(text("dropped") + close_frame(1000));
  turn(2);
  EXPECT_THAT(server.heard, ElementsAre("end closed_by_us 1000"));
}

TEST_F(Sending, PausedSocketOfABrokenConnectionEndsWhenItWrites) {
  open();
  socket.pause();
  client.reset();
  turn(2);
  EXPECT_THAT(server.heard, IsEmpty());
  send("x");
  turn();
  EXPECT_THAT(server.heard, ElementsAre("end connection_lost 1006"));
}

// --- the queue alone ---

TEST(Queue, IsOfTheSizeOfWhatIsUnsent) {
  Queue queue(false);
  EXPECT_TRUE(queue.empty());
  queue.push(Message::make(Kind::text, {"abc"}));
  EXPECT_TRUE(queue.only_one());
  queue.push(Message::make(Kind::text, {"defg"}));
  EXPECT_FALSE(queue.only_one());
  EXPECT_EQ(queue.bytes(), 11u);
  EXPECT_EQ(queue.weight(), 11u + 2 * Queue::kEach);
  queue.consume(4);
  EXPECT_EQ(queue.bytes(), 7u);
  iovec pieces[4];
  ASSERT_EQ(queue.gather(pieces), 2u);
  EXPECT_EQ(std::string_view(static_cast<char*>(pieces[0].iov_base), pieces[0].iov_len), "c");
  queue.consume(1);
  EXPECT_TRUE(queue.only_one());
  queue.consume(6);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.weight(), 0u);
}

TEST(Queue, GathersNoMoreThanThereIsRoomFor) {
  Queue queue(false);
  for (int i = 0; i < 10; ++i) queue.push(Message::make(Kind::text, {"x"}));
  iovec pieces[4];
  EXPECT_EQ(queue.gather(std::span(pieces, 0)), 0u);
  EXPECT_EQ(queue.gather(pieces), 4u);
}

TEST(Queue, ThatIsNeverEmptyMovesOn) {
  Queue queue(false);
  std::string expected, got;
  iovec pieces[3];
  for (int i = 0; i < 5000; ++i) {
    const MessageRef message = Message::make(Kind::text, {std::to_string(i)});
    expected += message->frame();
    queue.push(message);
    if (i < 200) continue;
    const std::size_t count = queue.gather(pieces);
    for (std::size_t k = 0; k < count && k < 1; ++k) {
      got.append(static_cast<char*>(pieces[k].iov_base), pieces[k].iov_len);
      queue.consume(pieces[k].iov_len);
    }
  }
  while (queue.gather(pieces) > 0) {
    got.append(static_cast<char*>(pieces[0].iov_base), 1);
    queue.consume(1);
  }
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace limpet::ws
