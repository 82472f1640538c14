#include "tests/unit/socketio/world.h"

namespace limpet::socketio {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(World, EventsAndAcksGoBothWays) {
  start();
  io->on("echo", [](Socket& socket, const Args& args, const Ack& ack) {
    if (!ack) return socket.emit("echo", args);
    const Ack copy = ack;
    ack(args);
    copy("again");
  });
  FakeSession& client = join();
  client.say(R"(2["echo",1,"2",{"3":[true]}])");
  client.say(R"(20["echo",1])");
  client.say("2");
  client.say(R"(2["unheard"])");
  EXPECT_THAT(client.heard(), ElementsAre(R"(2["echo",1,"2",{"3":[true]}])", "30[1]"));
}

TEST_F(World, BytesComeWithTheirEventAndGoBackWithIt) {
  start();
  io->on("bytes", [](const Args& args, const Ack& ack) {
    EXPECT_EQ(*args.binary(args[0]), "one");
    EXPECT_EQ(args.binary(args[1]), nullptr);
    ack(args);
  });
  FakeSession& client = join();
  client.say(R"(52-7["bytes",{"num":1,"_placeholder":true},5,[{"_placeholder":true,"num":0}]])");
  client.give("zero");
  EXPECT_THAT(client.heard(), IsEmpty());
  client.give("one");
  EXPECT_THAT(client.heard(),
              ElementsAre(R"(62-7[{"_placeholder":true,"num":0},5,[{"_placeholder":true,"num":1}]])",
                          "bytes:one", "bytes:zero"));
}

class Invalid : public World, public testing::WithParamInterface<const char*> {};
TEST_P(Invalid, EndsTheConnectionAndIsTold) {
  start();
  std::vector<std::string> told;
  io->of("/").on_error([&](Socket&, std::string_view) { told.emplace_back("error"); });
  io->on_disconnect([&](Socket&, std::string_view reason) { told.emplace_back(reason); });
  FakeSession& client = join();
  client.say(GetParam());
  EXPECT_TRUE(client.closed);
  EXPECT_THAT(told, ElementsAre("error", "forced close"));
  client.say(R"(2["late"])");
  EXPECT_THAT(client.heard(), IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(World, Invalid,
                         testing::Values("", "abc", "9", "2[\"a\"", "2{}", "2[]", "2[\"disconnect\"]", "1{}",
                                         "31{}", "511-[\"a\"]", "50-[\"a\"]", "0/\xff"));

TEST_F(World, AttachmentsOutOfPlaceEndTheConnection) {
  start();
  FakeSession &unasked = join(), &interrupted = join(), &beyond = join();
  unasked.give("x");
  interrupted.say(R"(51-["a",{"_placeholder":true,"num":0}])");
  interrupted.say(R"(2["b"])");
  beyond.say(R"(51-["a",{"_placeholder":true,"num":1}])");
  beyond.give("x");
  EXPECT_TRUE(unasked.closed && interrupted.closed && beyond.closed);
}

// An answer of the same values would have more attachments than may leave, and be an exception each time.
TEST_F(World, ManyPlaceholdersOfFewBytesEndTheConnection) {
  start();
  io->on("echo", [](const Args& args, const Ack& ack) { ack(args); });
  const auto said = [](int times) {
    std::string packet = "51-0[\"echo\"";
    for (int i = 0; i < times; ++i) packet += R"(,{"_placeholder":true,"num":0})";
    return packet + ']';
  };
  FakeSession &many = join(), &some = join();
  many.say(said(11));
  many.give("x");
  EXPECT_TRUE(many.closed);
  some.say(said(10));
  some.give("x");
  EXPECT_EQ(some.heard().size(), 11u);
  EXPECT_THAT(exceptions, IsEmpty());
}

TEST_F(World, ANamespaceThatIsNotJoinedEndsTheConnection) {
  start();
  io->of("/a");
  FakeSession &event = join(), &left = join(), &error = join();
  event.say("2/a,[\"x\"]");
  left.say("1");
  left.say("2[\"x\"]");
  error.say("4\"x\"");
  EXPECT_TRUE(event.closed && left.closed && error.closed);
}

TEST_F(World, AQuestionIsAnsweredOnceOrFails) {
  start();
  std::vector<std::string> replies;
  const auto note = [&](const Reply& reply) {
    replies.push_back(reply.ok() ? std::to_string(reply.args[0].as_int64())
                                 : std::string(text_of(reply.failure)));
  };
  FakeSession& client = join();
  Socket* socket = nullptr;
  io->of("/").for_each([&](Socket& each) { socket = &each; });
  const SocketPtr keep(socket);
  socket->emit_with_ack("q", Args{1}, 0, note);
  EXPECT_THAT(client.heard(), ElementsAre(R"(20["q",1])"));
  client.say("30[5]");
  client.say("30[6]");
  client.say("3999[6]");
  client.say("3[6]");
  socket->emit_with_ack("q", {}, 1, note);
  turn(40);
  client.say("31[7]");
  socket->emit_with_ack("q", {}, 0, note);
  client.say("1");
  socket->emit_with_ack("q", {}, 0, note);
  socket->emit("nothing");
  EXPECT_THAT(replies, ElementsAre("5", "operation has timed out", "socket has been disconnected",
                                   "socket has been disconnected"));
}

TEST_F(World, QuestionsAreBounded) {
  start([](Options& options) { options.limits.pending_acks = 1; });
  join();
  std::vector<NoAnswer> failures;
  io->of("/").for_each([&](Socket& socket) {
    for (int i = 0; i < 2; ++i)
      socket.emit_with_ack("q", {}, 0, [&](const Reply& reply) { failures.push_back(reply.failure); });
  });
  EXPECT_THAT(failures, ElementsAre(NoAnswer::too_many));
  sessions.clear();
  io.reset();
  EXPECT_THAT(failures, ElementsAre(NoAnswer::too_many, NoAnswer::disconnected));
}

TEST_F(World, ACoroutineKeepsWhatItWasGiven) {
  start();
  io->on("ask", [](Socket& socket, const Args& args, const Ack& ack) -> Task<> {
    const Reply reply = co_await socket.emit_with_ack("really?", args, 0);
    ack(reply.ok() ? reply.args[0] : boost::json::value("gone"), args[0]);
    throw std::runtime_error("at the end");
  });
  FakeSession& client = join();
  client.say(R"(25["ask","a long text that would be gone"])");
  EXPECT_THAT(client.heard(), ElementsAre(R"(20["really?","a long text that would be gone"])"));
  client.say("30[true]");
  EXPECT_THAT(client.heard(), ElementsAre(R"(35[true,"a long text that would be gone"])"));
  EXPECT_THAT(exceptions, ElementsAre("handler"));
}

TEST_F(World, ExceptionsEndNothing) {
  start();
  io->on("bad", [](const Args& args) { (void)args[0].as_string(); });
  FakeSession& client = join();
  client.say("2[\"bad\",1]");
  EXPECT_FALSE(client.closed);
  EXPECT_THAT(exceptions, ElementsAre("bad"));
}

TEST_F(World, ReservedNamesAndTooManyBytesAreThrownBack) {
  start();
  Args many;
  for (int i = 0; i < 11; ++i) many.add(Binary{"x"});
  EXPECT_THROW(io->emit("connect"), std::invalid_argument);
  EXPECT_THROW(io->emit("a", many), std::invalid_argument);
  EXPECT_THROW(io->of("/").server_side_emit("connection", {}), std::invalid_argument);
  EXPECT_THROW(io->of("/").server_side_emit("error", {}), std::invalid_argument);
  EXPECT_THROW(io->to("a").emit_with_ack("disconnect", {}, [](const Replies&) {}), std::invalid_argument);
}

TEST_F(World, WhoSendsTooMuchIsReadNoMoreForAWhile) {
  start([](Options& options) { options.limits.events_per_second = 20; });
  int heard = 0;
  io->on("a", [&] { ++heard; });
  FakeSession& client = join();  // counts, too
  while (!client.paused) client.say("2[\"a\"]");
  EXPECT_GE(heard, 19);
  EXPECT_LT(heard, 40);
  EXPECT_FALSE(client.closed);
  EXPECT_EQ(io->totals().throttled, 1U);
  for (int i = 0; i < 500 && client.paused; ++i) turn(10);
  EXPECT_FALSE(client.paused);
  const int before = heard;
  client.say("2[\"a\"]");
  EXPECT_EQ(heard, before + 1);
}

TEST_F(World, WhoEndsMeanwhileIsForgotten) {
  start([](Options& options) { options.limits.events_per_second = 1; });
  FakeSession& gone = join();
  FakeSession& closed = join();
  FakeSession& left = join();
  for (FakeSession* each : {&gone, &closed, &left}) {
    each->say("2[\"a\"]");
    EXPECT_TRUE(each->paused);
  }
  gone.end(engine::Reason::transport_close);
  closed.say("nonsense");
  EXPECT_TRUE(closed.closed);
  EXPECT_FALSE(closed.paused) << "what it has posted is answered";
  gone.receiver = closed.receiver = left.receiver = nullptr;
  io.reset();
  turn(1'100);
}

TEST_F(World, AttachmentsThatDoNotComeEndTheConnection) {
  start([](Options& options) { options.engine.ping_interval_ms = options.engine.ping_timeout_ms = 20; });
  std::vector<std::string> told;
  io->of("/").on_error([&](Socket&, std::string_view what) { told.emplace_back(what); });
  FakeSession& event = join();
  event.say(R"(52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
  event.give("first");
  FakeSession& ack = join();
  ack.say(R"(61-7[{"_placeholder":true,"num":0}])");
  EXPECT_FALSE(event.closed || ack.closed);
  for (int i = 0; i < 500 && !(event.closed && ack.closed); ++i) turn(10);
  EXPECT_TRUE(event.closed && ack.closed);
  EXPECT_EQ(told, (std::vector<std::string>{"invalid payload", "invalid payload"}));
  EXPECT_EQ(io->totals().invalid, 2U);
}

TEST_F(World, EachAttachmentHasItsTime) {
  start([](Options& options) { options.engine.ping_interval_ms = options.engine.ping_timeout_ms = 1'000; });
  int heard = 0;
  io->on("a", [&](const Args& args) { heard += static_cast<int>(args.size()); });
  FakeSession& client = join();
  client.say(
      R"(53-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}])");
  for (int i = 0; i < 3; ++i) {
    turn(750);
    client.give("bytes");
  }
  EXPECT_EQ(heard, 3);
  turn(20);
  EXPECT_FALSE(client.closed);
}

TEST_F(World, WhatIsAwaitedCountsForTheBudget) {
  start();
  FakeSession& client = join();
  const std::size_t before = budget::total;
  client.say(R"(52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
  client.give(std::string(100'000, 'x'));
  EXPECT_GE(client.receiver->holds(), 100'000U);
  EXPECT_EQ(budget::total - before, client.receiver->holds());
  client.give("last");
  EXPECT_EQ(client.receiver->holds(), 0U);
  EXPECT_EQ(budget::total, before);
}

TEST_F(World, AnEventEndsWithItsSocket) {
  start();
  int calls = 0;
  io->of("/").on_any([](Socket& socket, std::string_view, const Args&) { socket.disconnect(); });
  io->on("e", [&] { ++calls; });
  FakeSession& client = join();
  client.say("2[\"e\"]");
  EXPECT_EQ(calls, 0);
  EXPECT_THAT(client.heard(), ElementsAre("1"));
}

TEST_F(World, WhoIsLeavingIsToldNothingMore) {
  start();
  Ack unanswered;
  NoAnswer failure = NoAnswer::none;
  io->on("ask", [&](const Args&, const Ack& ack) { unanswered = ack; });
  io->of("/").on_disconnecting([](Socket& socket, std::string_view) { socket.disconnect(); });
  io->on_disconnect([&](Socket& socket, std::string_view) {
    socket.emit("late");
    socket.emit_with_ack("late", {}, 0, [&](const Reply& reply) { failure = reply.failure; });
    socket.disconnect(true);
    unanswered("late");
  });
  FakeSession& client = join();
  client.say("20[\"ask\"]");
  client.say("1");
  EXPECT_THAT(client.heard(), IsEmpty());
  EXPECT_FALSE(client.closed);
  EXPECT_EQ(failure, NoAnswer::disconnected);
  FakeSession& other = join();
  io->of("/").disconnect_sockets();
  EXPECT_THAT(other.heard(), ElementsAre("1"));
}

TEST_F(World, HandlersMayDoAnythingToTheirSocket) {
  start();
  int calls = 0;
  io->on_connection([&](Socket& socket) {
    socket.on("self", [&calls, self = SocketPtr(&socket)] {  // a cycle, until the socket goes
      ++calls;
      self->on("self", [&calls] { calls += 100; });
      self->off("other");
      self->disconnect(true);
    });
  });
  FakeSession& client = join();
  client.say("2[\"self\"]");
  EXPECT_THAT(client.heard(), ElementsAre("1"));
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(client.closed);
}

}  // namespace
}  // namespace limpet::socketio
