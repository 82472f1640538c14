// What all sessions share: memory and places. And sessions that are read no more for a while.
#include "tests/unit/engine/world.h"

namespace limpet::engine {
namespace {

// --- memory ---

TEST(Memory, WhoHoldsMostIsClosedAndNobodyElse) {
  Options options = quiet();
  options.max_buffered = 1'000'000;
  World world(options);
  const std::string slow = world.open(), slower = world.open();
  Seen &some = world.app.sessions[0], &most = world.app.sessions[1];
  some.send(std::string(200'000, 'a'));
  for (int i = 0; i < 6; ++i) most.send(std::string(100'000, 'b'));
  world.run_for(1);
  EXPECT_FALSE(world.server->full());
  some.send(std::string(250'000, 'a'));
  EXPECT_TRUE(most.closed.empty()) << "nobody is called back from within send()";
  ASSERT_TRUE(world.until([&] { return !most.closed.empty(); }));
  EXPECT_EQ(most.closed, std::vector{Reason::slow_consumer});
  EXPECT_EQ(world.server->budget().evicted(), 1u);
  EXPECT_EQ(body_of(world.get(with_sid(slow))).size(), 200'001u + 250'001u + 1u);
  EXPECT_EQ(body_of(world.get(with_sid(slower))), R"({"code":1,"message":"Session ID unknown"})");
}

TEST(Memory, OfAWebSocketThatReadsNothingToo) {
  Options options = quiet();
  options.max_buffered = 4'000'000;
  World world(options);
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until([&] { return world.app.sessions.size() == 1; }));
  Seen& seen = world.app.sessions[0];
  for (int i = 0; i < 200 && seen.session != nullptr; ++i) {
    seen.send(std::string(100'000, 'x'));
    net::Timer soon(world.loop, net::delegate<&net::Loop::stop>(&world.loop));
    soon.after(1);
    world.loop.run();  // the client does not look
  }
  EXPECT_EQ(seen.closed, std::vector{Reason::slow_consumer});
  EXPECT_EQ(world.server->budget().evicted(), 1u);
  ASSERT_TRUE(world.until([&] { return socket.ended(); }));
  EXPECT_TRUE(socket.was_reset());
}

TEST(Memory, NearItsBoundSessionsAreRefused) {
  Options options = quiet();
  options.max_buffered = 1'000'000;
  World world(options);
  const std::string sid = world.open();
  world.app.sessions[0].send(std::string(900'000, 'a'));
  EXPECT_TRUE(world.server->full());
  EXPECT_EQ(body_of(world.get("EIO=4&transport=polling")), R"({"code":3,"message":"Server at capacity"})");
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until([&] { return frames_after_head(socket).size() == 1; }));
  EXPECT_EQ(frames_after_head(socket)[0].body, "\x03\xf0Server at capacity");
  EXPECT_EQ(body_of(world.get(with_sid(sid))).size(), 900'001u) << "who is in is served";
  ASSERT_TRUE(world.until([&] { return !world.server->full(); }));
  EXPECT_NE(world.open(), "");
}

TEST(Memory, OfAMessageForManyIsCountedOnce) {
  Options options = quiet();
  options.max_buffered = 1'000'000;
  World world(options);
  for (int i = 0; i < 20; ++i) world.open();
  const MessageRef packet = packet_of(Kind::text, {std::string(500'000, 'x')});
  for (Seen& each : world.app.sessions) each.session->send(packet);
  world.run_for(1);
  EXPECT_FALSE(world.server->full());
  EXPECT_EQ(world.server->sessions(), 20u);
}

TEST(Memory, IsGivenBackWhateverEndsASession) {
  const std::size_t before = budget::total;
  {
    World world(quiet());
    const std::size_t empty = budget::total;
    const std::string sid = world.open();
    world.open();
    http::Client& socket = world.websocket();
    ASSERT_TRUE(world.until([&] { return world.app.sessions.size() == 3; }));
    socket.send(masked_frame(1, "4" + std::string(60'000, 'x')).substr(0, 50'000));
    http::Client& post = world.start_post(with_sid(sid), "4a", "X: y\r\n");
    ASSERT_TRUE(world.answered(post));
    for (Seen& each : world.app.sessions) each.send(std::string(100'000, 'x'));
    ASSERT_TRUE(world.until([&] { return budget::total - empty > 200'000; }));
    world.server->close_all();
    for (http::Client& each : world.clients) each.close();
    ASSERT_TRUE(world.until([&] { return world.server->leaving() == 0 && world.http->connections() == 0; }));
    EXPECT_EQ(budget::total, empty);
  }
  EXPECT_EQ(budget::total, before);
}

// --- places ---

TEST(Places, AFloodOfOpeningsMakesRoomForOthers) {
  Options options = quiet();
  options.max_sessions = 150;
  World world(options);
  const std::string honest = world.open();
  EXPECT_EQ(body_of(world.post(with_sid(honest), "4a")), "ok");
  std::vector<std::string> sids;
  for (int i = 0; i < 149; ++i) sids.push_back(world.open());
  EXPECT_FALSE(world.server->full());
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until([&] { return world.server->totals().websockets == 1; }));
  EXPECT_FALSE(frames_after_head(socket).empty());
  EXPECT_NE(world.open(), "");
  EXPECT_EQ(world.server->sessions(), 150u);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(world.app.sessions[1 + i].closed, std::vector{Reason::ping_timeout});
  EXPECT_TRUE(world.app.sessions[0].closed.empty());
  EXPECT_EQ(body_of(world.get(with_sid(sids[0]))), R"({"code":1,"message":"Session ID unknown"})");
  EXPECT_EQ(body_of(world.post(with_sid(sids[2]), "4a")), "ok");
}

TEST(Places, OfThoseWhoCameBackAreTheirs) {
  Options options = quiet();
  options.max_sessions = 150;
  World world(options);
  std::vector<std::string> sids;
  for (int i = 0; i < 150; ++i) sids.push_back(world.open());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(body_of(world.post(with_sid(sids[i]), "4a")), "ok");
  EXPECT_TRUE(world.server->full()) << "100 are few";
  EXPECT_EQ(world.open(), "");
  EXPECT_EQ(world.server->sessions(), 150u);
}

// --- pauses ---

TEST(Pause, OfAWebSocketLosesNothing) {
  World world(quiet());
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until([&] { return world.app.sessions.size() == 1; }));
  Seen& seen = world.app.sessions[0];
  seen.act = [](Seen& it, std::string_view data) {
    if (data == "1") it.session->pause();
  };
  for (const char* each : {"40", "41", "42"}) socket.send(masked_frame(1, each));
  ASSERT_TRUE(world.until([&] { return seen.messages.size() == 2; }));
  socket.send(masked_frame(1, "43"));
  world.run_for(20);
  EXPECT_EQ(seen.messages, (std::vector<std::string>{"0", "1"}));
  seen.session->resume();
  ASSERT_TRUE(world.until([&] { return seen.messages.size() == 4; }));
  EXPECT_EQ(seen.messages, (std::vector<std::string>{"0", "1", "2", "3"}));
}

TEST(Pause, OfPollsKeepsTheAnswerToTheBody) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  seen.act = [](Seen& it, std::string_view data) {
    if (data == "1") it.session->pause();
  };
  http::Client& post = world.start_post(with_sid(sid),
                                        "40\x1e"
                                        "41\x1e"
                                        "42");
  ASSERT_TRUE(world.until([&] { return seen.messages.size() == 2; }));
  world.run_for(20);
  EXPECT_EQ(post.seen, "");
  EXPECT_EQ(seen.messages.size(), 2u);
  seen.session->resume();
  ASSERT_TRUE(world.answered(post));
  EXPECT_EQ(body_of(post.seen), "ok");
  EXPECT_EQ(seen.messages, (std::vector<std::string>{"0", "1", "2"}));
}

TEST(Pause, ABodyThatComesMeanwhileWaits) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  seen.session->pause();
  http::Client& post = world.start_post(with_sid(sid), "40");
  world.run_for(20);
  EXPECT_EQ(post.seen, "");
  EXPECT_TRUE(seen.messages.empty());
  seen.session->resume();
  ASSERT_TRUE(world.answered(post));
  EXPECT_EQ(seen.messages, std::vector<std::string>{"0"});
}

TEST(Pause, GoesOnOverAnUpgrade) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  seen.session->pause();
  http::Client& socket = world.websocket(with_sid(sid, "websocket"));
  socket.send(masked_frame(1, "5"));
  ASSERT_TRUE(world.until([&] { return world.server->totals().websockets == 1; }));
  socket.send(masked_frame(1, "40"));
  world.run_for(20);
  EXPECT_TRUE(seen.messages.empty());
  seen.session->resume();
  ASSERT_TRUE(world.until([&] { return seen.messages.size() == 1; }));
}

TEST(Pause, OfASessionThatEndsEndsToo) {
  for (const bool polls : {true, false}) {
    World world(quiet());
    std::string sid;
    if (polls)
      sid = world.open();
    else
      world.websocket();
    ASSERT_TRUE(world.until([&] { return world.app.sessions.size() == 1; }));
    Seen& seen = world.app.sessions[0];
    Session* const session = seen.session;
    session->pause();
    http::Client* post = polls ? &world.start_post(with_sid(sid), "40") : nullptr;
    world.run_for(5);
    session->discard(Reason::forced_close);
    session->resume();
    EXPECT_EQ(seen.closed, std::vector{Reason::forced_close});
    if (post != nullptr) {
      ASSERT_TRUE(world.answered(*post));
      EXPECT_EQ(body_of(post->seen), "ok");
    }
    EXPECT_TRUE(seen.messages.empty());
  }
}

}  // namespace
}  // namespace limpet::engine
