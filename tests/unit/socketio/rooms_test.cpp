#include "tests/unit/socketio/world.h"

namespace limpet::socketio {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class Rooms : public World {
 protected:
  void SetUp() override {
    start();
    prepare();
  }
  void prepare() {
    io->on("join", [](Socket& socket, const Args& args) { socket.join(args[0].as_string()); });
    io->on("others", [](Socket& socket) { socket.to("a").to("b").emit("x"); });
    io->on_disconnect([this](Socket& socket, std::string_view reason) {
      left.emplace_back(reason);
      EXPECT_THAT(socket.rooms(), IsEmpty());
    });
  }
  FakeSession& member(std::initializer_list<std::string_view> rooms) {
    FakeSession& session = join();
    for (const auto room : rooms) session.say("2[\"join\",\"" + std::string(room) + "\"]");
    return session;
  }
  std::vector<std::string> left;
};

TEST_F(Rooms, AUnionIsServedOnceWithoutTheSender) {
  FakeSession &sender = member({"a"}), &both = member({"a", "b"}), &none = member({});
  sender.say("2[\"others\"]");
  EXPECT_THAT(sender.heard(), IsEmpty());
  EXPECT_THAT(both.heard(), ElementsAre("2[\"x\"]"));
  EXPECT_THAT(none.heard(), IsEmpty());
  io->to("a").except("b").emit("y", Binary{"z"});
  EXPECT_THAT(sender.heard(), ElementsAre(R"(51-["y",{"_placeholder":true,"num":0}])", "bytes:z"));
  EXPECT_THAT(both.heard(), IsEmpty());
}

TEST_F(Rooms, WhatIsVolatileIsDroppedForWhoCannotTakeIt) {
  FakeSession &quick = member({}), &slow = member({});
  slow.can_write = false;
  io->of("/").volatile_().emit("x");
  io->emit("y");
  EXPECT_THAT(quick.heard(), SizeIs(2));
  EXPECT_THAT(slow.heard(), ElementsAre("2[\"y\"]"));
}

TEST_F(Rooms, WhoDiesOfABroadcastIsToldAboutAfterIt) {
  FakeSession &dying = member({}), &other = member({});
  dying.dies_when_sent_to = true;
  io->emit("x");
  EXPECT_THAT(left, IsEmpty());
  EXPECT_THAT(other.heard(), SizeIs(1));
  turn();
  EXPECT_THAT(left, ElementsAre("transport error"));
  EXPECT_EQ(io->totals().sockets, 1U);
}

TEST_F(Rooms, TheServerMayGoBeforeTheyAreToldAbout) {
  member({}).dies_when_sent_to = true;
  io->emit("x");
  io.reset();
  EXPECT_THAT(left, IsEmpty());
}

TEST_F(Rooms, ManyAreAskedWithOneNumber) {
  FakeSession &first = member({"a"}), &second = member({"a"});
  Replies got;
  int calls = 0;
  const auto note = [&](const Replies& replies) { got = replies, ++calls; };
  io->to("a").timeout(10'000).emit_with_ack("vote", Args{1}, note);
  EXPECT_THAT(first.heard(), ElementsAre("20[\"vote\",1]"));
  EXPECT_THAT(second.heard(), ElementsAre("20[\"vote\",1]"));
  first.say("30[\"yes\",2]");
  first.say("30[\"twice\"]");
  EXPECT_EQ(calls, 0);
  second.say(R"(61-0[{"_placeholder":true,"num":0}])");
  second.give("bytes");
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(got.complete);
  ASSERT_EQ(got.answers.size(), 2U);
  EXPECT_EQ(got.answers[0], "yes");
  EXPECT_EQ(*got.answers.binary(got.answers[1]), "bytes");

  io->to("a").timeout(1).emit_with_ack("vote", {}, note);
  first.say("31[3]");
  turn(40);
  second.say("31[4]");
  EXPECT_EQ(calls, 2);
  EXPECT_FALSE(got.complete);
  EXPECT_EQ(got.answers.size(), 1U);

  io->to("nobody").timeout(1'000).emit_with_ack("vote", {}, note);
  EXPECT_EQ(calls, 3);
  EXPECT_TRUE(got.complete);
}

TEST_F(Rooms, WhatIsAskedAsTheServerGoesIsAnsweredOnce) {
  member({});
  int first = 0, second = 0;
  Namespace& nsp = io->of("/");
  nsp.timeout(10'000).emit_with_ack("vote", {}, [&](const Replies&) {
    ++first;
    nsp.timeout(10'000).emit_with_ack("again", {}, [&](const Replies& replies) {
      ++second;
      EXPECT_FALSE(replies.complete);
    });
  });
  sessions.clear();
  io.reset();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 1);
}

TEST_F(Rooms, ManyAreMovedAndDisconnected) {
  FakeSession &one = member({"a"}), &two = member({"a", "b"}), &three = member({});
  io->in("a").sockets_join({"c", "d"});
  io->in("b").sockets_leave({"c"});
  Found found;
  io->in("c").fetch_sockets([&](const Found& all) { found = all; });
  ASSERT_THAT(found.sockets, SizeIs(1));
  EXPECT_THAT(found.sockets[0].rooms, ElementsAre(found.sockets[0].id, "a", "c", "d"));
  EXPECT_EQ(found.sockets[0].handshake.at("url"), "/socket.io/?EIO=4");
  EXPECT_EQ(found.sockets[0].handshake.at("query").at("EIO"), "4");
  EXPECT_EQ(found.sockets[0].handshake.at("address"), "10.0.0.1");
  io->in("d").except("b").disconnect_sockets();
  EXPECT_THAT(one.heard(), ElementsAre("1"));
  EXPECT_FALSE(one.closed);
  io->in("b").disconnect_sockets(true);
  EXPECT_THAT(two.heard(), ElementsAre("1"));
  EXPECT_TRUE(two.closed);
  EXPECT_FALSE(three.closed);
  EXPECT_THAT(left, ElementsAre("server namespace disconnect", "server namespace disconnect"));
}

TEST_F(Rooms, ReasonsAreSocketIosWords) {
  member({}).say("1");
  FakeSession& waits = member({});
  waits.websocket = waits.can_write = false;
  waits.say("2[]");
  FakeSession& polls = member({});
  polls.websocket = false;
  polls.say("2[]");
  member({}).end(engine::Reason::ping_timeout);
  member({}).end(engine::Reason::server_shutting_down);
  EXPECT_THAT(left, ElementsAre("client namespace disconnect", "forced server close", "forced close",
                                "ping timeout", "server shutting down"));
}

TEST_F(Rooms, RoomsOfASocketAreBounded) {
  TearDown();
  sessions.clear();
  start([](Options& options) { options.limits.rooms_per_socket = 2; });
  join();
  io->of("/").for_each([](Socket& socket) {
    EXPECT_TRUE(socket.join("a"));
    EXPECT_TRUE(socket.join("b"));
    EXPECT_FALSE(socket.join("c"));
    EXPECT_TRUE(socket.join("a"));
    EXPECT_TRUE(socket.join(socket.id()));
    socket.leave("b");
    EXPECT_FALSE(socket.join(std::string(1025, 'x')));
    EXPECT_TRUE(socket.join("c"));
  });
}

}  // namespace
}  // namespace limpet::socketio
