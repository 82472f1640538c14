// What a server bounds, and how it goes down.
#include "tests/unit/engine/world.h"
#include "tests/unit/net/turns.h"

namespace limpet::engine {
namespace {

TEST(Capacity, PollsGet503AndWebSockets1008) {
  Options options = quiet();
  options.max_sessions = 1;
  World world(options);
  const std::string sid = world.open();
  EXPECT_TRUE(world.server->full());
  const std::string refused = world.get("EIO=4&transport=polling");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(body_of(refused), R"({"code":3,"message":"Server at capacity"})");
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until([&] { return frames_after_head(socket).size() == 1; }));
  EXPECT_EQ(frames_after_head(socket)[0].opcode, 8);
  EXPECT_EQ(frames_after_head(socket)[0].body, "\x03\xf0Server at capacity");
  // Those who are in are served, and may change what carries them.
  http::Client& upgrade = world.websocket(with_sid(sid, "websocket"));
  upgrade.send(masked_frame(1, "5"));
  ASSERT_TRUE(world.until([&] { return world.server->totals().websockets == 1; }));
  upgrade.close();
  ASSERT_TRUE(world.until([&] { return world.server->sessions() == 0; }));
  EXPECT_NE(world.open(), "");
}

TEST(SlowConsumer, OfPollsIsClosedAtTheEndOfTheTurn) {
  Options options = quiet();
  options.max_queued = 10'000;
  World world(options);
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  const MessageRef packet = packet_of(Kind::text, {std::string(1000, 'x')});
  for (int i = 0; i < 9; ++i) seen.session->send(packet);
  EXPECT_FALSE(seen.session->closing());
  for (int i = 0; i < 1000; ++i) seen.session->send(packet);
  EXPECT_TRUE(seen.closed.empty()) << "nobody is called back from within send()";
  EXPECT_TRUE(seen.session->closing());
  ASSERT_TRUE(world.until([&] { return !seen.closed.empty(); }));
  EXPECT_EQ(seen.closed, std::vector{Reason::slow_consumer});
  EXPECT_LT(world.server->totals().bytes_out, 11'000u);
  EXPECT_EQ(body_of(world.get(with_sid(sid))), R"({"code":1,"message":"Session ID unknown"})");
}

TEST(SlowConsumer, OfAWebSocketToo) {
  Options options = quiet();
  options.max_queued = 100'000;
  World world(options);
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until([&] { return world.app.sessions.size() == 1; }));
  Seen& seen = world.app.sessions[0];
  const MessageRef packet = packet_of(Kind::text, {std::string(64 * 1024, 'x')});
  ASSERT_TRUE(world.until([&] {
    for (int i = 0; i < 100 && seen.session != nullptr; ++i) seen.session->send(packet);
    socket.seen.clear();
    return !seen.closed.empty();
  }));
  EXPECT_EQ(seen.closed, std::vector{Reason::slow_consumer});
}

TEST(Payload, ABodyThatIsTooLongLeavesTheSession) {
  Options options = quiet();
  options.max_payload = 10;
  World world(options);
  const std::string sid = world.open();
  EXPECT_EQ(body_of(world.post(with_sid(sid), "4123456789")), "ok");
  const std::string refused = world.post(with_sid(sid), "41234567890");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 413 "));
  EXPECT_EQ(body_of(refused), "");
  EXPECT_EQ(world.app.sessions[0].messages, std::vector<std::string>{"123456789"});
  EXPECT_EQ(world.server->sessions(), 1u);
}

TEST(Payload, ALongQueueLeavesInSeveralAnswers) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  for (const char c : {'a', 'b', 'c'}) seen.send(std::string(700'000, c));
  seen.send(std::string(2'000'000, 'd'));
  seen.send("e");
  seen.session->close();
  for (const char c : {'a', 'b', 'c', 'd'}) {
    const std::string body = body_of(world.get(with_sid(sid)));
    EXPECT_EQ(body.size(), c == 'd' ? 2'000'001u : 700'001u);
    EXPECT_EQ(body.back(), c);
  }
  EXPECT_EQ(body_of(world.get(with_sid(sid))), "4e");
  EXPECT_TRUE(seen.closed.empty());
  EXPECT_EQ(body_of(world.get(with_sid(sid))),
            "6\x1e"
            "1");
  EXPECT_EQ(seen.closed, std::vector{Reason::forced_close});
}

std::string many_packets(int count) {
  std::string body = "40";
  for (int i = 1; i < count; ++i)
    body +=
        "\x1e"
        "4" +
        std::to_string(i);
  return body;
}

// Others have their turn meanwhile.
TEST(ManyPackets, AreHandedUpInPieces) {
  World world(quiet());
  const std::string sid = world.open();
  net::Turns turns(world.loop);
  std::vector<int> at;
  world.app.sessions[0].act = [&](Seen&, std::string_view) { at.push_back(turns.count); };
  EXPECT_EQ(body_of(world.post(with_sid(sid), many_packets(1000))), "ok");
  const auto& messages = world.app.sessions[0].messages;
  ASSERT_EQ(messages.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(messages[static_cast<std::size_t>(i)], std::to_string(i));
  for (std::size_t i = 0; i + 64 < at.size(); i += 64) EXPECT_LT(at[i], at[i + 64]);
  std::string large = "4" + std::string(50'000, 'a');
  large += "\x1e" + large + "\x1e" + large;
  at.clear();
  EXPECT_EQ(body_of(world.post(with_sid(sid), large)), "ok");
  ASSERT_EQ(at.size(), 3u);
  EXPECT_LT(at[1], at[2]);
}

TEST(ManyPackets, ASecondBodyMeanwhileEndsTheSession) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  http::Client* second = nullptr;
  seen.act = [&](Seen&, std::string_view) {
    if (second == nullptr) second = &world.start_post(with_sid(sid), "4late");
  };
  http::Client& first = world.start_post(with_sid(sid), many_packets(20'000));
  ASSERT_TRUE(world.until([&] { return !seen.closed.empty(); }));
  EXPECT_EQ(seen.closed, std::vector{Reason::transport_error});
  EXPECT_LT(seen.messages.size(), 20'000u);
  ASSERT_TRUE(world.answered(*second));
  EXPECT_TRUE(second->seen.starts_with("HTTP/1.1 400 "));
  ASSERT_TRUE(world.until([&] { return first.ended(); }));
  EXPECT_FALSE(first.has("ok"));
}

TEST(ManyPackets, OfOneThatEndsTheSessionAreNotHeardButAnswered) {
  for (const char* end : {"\x1e"
                          "1",
                          "\x1e"
                          "x",
                          ""}) {
    World world(quiet());
    const std::string sid = world.open();
    Seen& seen = world.app.sessions[0];
    seen.act = [&](Seen& it, std::string_view data) {
      if (*end == '\0' && data == "199") it.session->discard(Reason::forced_close);
    };
    EXPECT_EQ(body_of(world.post(with_sid(sid), many_packets(200) + end +
                                                    "\x1e"
                                                    "4late")),
              "ok");
    EXPECT_EQ(seen.messages.size(), 200u);
    EXPECT_EQ(seen.closed.size(), 1u);
  }
}

TEST(ManyPackets, OfASessionThatEndsMeanwhileAreAnswered) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  seen.act = [&](Seen& it, std::string_view data) {
    if (data == "0") world.loop.post([session = it.session] { session->discard(Reason::slow_consumer); });
  };
  EXPECT_EQ(body_of(world.post(with_sid(sid), many_packets(20'000))), "ok");
  EXPECT_LT(seen.messages.size(), 20'000u);
  EXPECT_EQ(seen.closed, std::vector{Reason::slow_consumer});
}

TEST(ManyPackets, OfAClientThatHasGoneAreNotWaitedFor) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  http::Client& client = world.start_post(with_sid(sid), many_packets(20'000));
  seen.act = [&](Seen&, std::string_view) { client.close(); };
  ASSERT_TRUE(world.until([&] { return !seen.closed.empty(); }));
  EXPECT_EQ(seen.closed, std::vector{Reason::transport_error});
  world.run_for(5);
}

TEST(Opening, ASessionThatNobodyAsksForEndsSoon) {
  Options options = quiet();
  options.asked_within_ms = 50;
  World world(options);
  const std::string polled = world.open(), posted = world.open(), upgraded = world.open();
  world.start_get(with_sid(polled));
  EXPECT_EQ(body_of(world.post(with_sid(posted), "4a")), "ok");
  world.websocket(with_sid(upgraded, "websocket"));
  world.open();
  ASSERT_TRUE(world.until([&] { return world.app.sessions[3].closed.size() == 1; }));
  EXPECT_EQ(world.app.sessions[3].closed, std::vector{Reason::ping_timeout});
  world.run_for(60);
  EXPECT_EQ(world.server->sessions(), 3u);
}

TEST(Refusing, NewSessionsAloneAndBeforeThe101) {
  World world(quiet());
  const std::string sid = world.open();
  world.server->refuse_new();
  EXPECT_EQ(world.open(), "");
  const std::string refused = world.get("EIO=4&transport=polling");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(body_of(refused), R"({"code":3,"message":"Server shutting down"})");
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until([&] { return socket.ended(); }));
  EXPECT_TRUE(socket.seen.starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(body_of(world.post(with_sid(sid), "4a")), "ok");
}

TEST(Forbidding, BelongsToTheApplication) {
  World world(quiet());
  const std::string sid = world.open();
  world.app.forbidden = "not \"you\"";
  const std::string refused = world.get("EIO=4&transport=polling");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 403 "));
  EXPECT_EQ(body_of(refused), R"({"code":4,"message":"not \"you\""})");
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until([&] { return socket.ended(); }));
  EXPECT_TRUE(socket.seen.starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(body_of(socket.seen), "not \"you\"");
  world.app.forbidden = "";
  EXPECT_EQ(body_of(world.get("EIO=4&transport=polling")), R"({"code":4,"message":"Forbidden"})");
  // Not asked of what is refused anyway, nor of a session that there is.
  EXPECT_EQ(body_of(world.get("EIO=4")), R"({"code":0,"message":"Transport unknown"})");
  EXPECT_EQ(body_of(world.post(with_sid(sid), "4a")), "ok");
}

TEST(Draining, EndsWebSocketsWith1012AndPollsWithAClosePacket) {
  World world(quiet());
  http::Client& socket = world.websocket();
  const std::string waiting = world.open(), absent = world.open();
  http::Client& poll = world.start_get(with_sid(waiting));
  ASSERT_TRUE(world.until(
      [&] { return world.app.sessions.size() == 3 && world.app.sessions[1].session->writable(); }));
  world.server->drain(0);
  ASSERT_TRUE(world.until([&] { return frames_after_head(socket).size() == 2; }));
  EXPECT_EQ(frames_after_head(socket)[1].body, "\x03\xf4");
  ASSERT_TRUE(world.answered(poll));
  EXPECT_EQ(body_of(poll.seen), "1");
  EXPECT_EQ(world.server->sessions(), 1u);
  EXPECT_EQ(body_of(world.get(with_sid(absent))),
            "6\x1e"
            "1");
  for (Seen& seen : world.app.sessions) EXPECT_EQ(seen.closed, std::vector{Reason::server_shutting_down});
  EXPECT_EQ(world.server->sessions(), 0u);
  EXPECT_EQ(world.server->leaving(), 1u);
  socket.send(masked_frame(8, "\x03\xf4"));
  ASSERT_TRUE(world.until([&] { return world.server->leaving() == 0; }));
}

TEST(Draining, IsSpreadOverItsWindow) {
  World world(quiet());
  for (int i = 0; i < 20; ++i) world.open();
  world.server->drain(1'000);
  std::vector<std::size_t> steps;
  ASSERT_TRUE(world.until([&] {
    std::size_t left = 0;
    for (Seen& seen : world.app.sessions) left += seen.session != nullptr && !seen.session->closing() ? 1 : 0;
    if (steps.empty() || steps.back() != left) steps.push_back(left);
    return left == 0;
  }));
  EXPECT_GT(steps.size(), 2u);
  EXPECT_GT(steps.front(), 10u);
}

TEST(Draining, ALoneSessionIsToldAtOnce) {
  World world(quiet());
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until([&] { return world.app.sessions.size() == 1; }));
  world.server->drain(3'600'000);
  ASSERT_TRUE(world.until([&] { return frames_after_head(socket).size() == 2; }));
  EXPECT_EQ(frames_after_head(socket)[1].body, "\x03\xf4");
}

// The client hears from its poll that the session is over; what it had sent by then is no error.
TEST(Draining, WhatCrossesTheNewsIsAnswered) {
  World world(quiet());
  const std::string sid = world.open(), absent = world.open();
  http::Client& poll = world.start_get(with_sid(sid));
  ASSERT_TRUE(world.until([&] { return world.app.sessions[0].session->writable(); }));
  EXPECT_FALSE(world.server->crossing());
  world.server->drain(0);
  ASSERT_TRUE(world.answered(poll));
  EXPECT_TRUE(world.server->crossing());
  EXPECT_EQ(body_of(world.post(with_sid(sid), "4late")), "ok");
  EXPECT_TRUE(world.app.sessions[0].messages.empty());
  http::Client& upgrade = world.websocket(with_sid(sid, "websocket"));
  ASSERT_TRUE(world.until([&] { return frames_after_head(upgrade).size() == 1; }));
  EXPECT_EQ(frames_after_head(upgrade)[0].body, "\x03\xf4");
  EXPECT_EQ(body_of(world.get(with_sid(sid))), R"({"code":1,"message":"Session ID unknown"})");
  EXPECT_EQ(body_of(world.post(with_sid("AAAAAAAAAAAAAAAAAAAA"), "4a")),
            R"({"code":1,"message":"Session ID unknown"})");
  EXPECT_EQ(body_of(world.post(with_sid(absent), "4a")), "ok");
  ASSERT_TRUE(world.until([&] { return !world.server->crossing(); }));
}

TEST(Draining, AnUpgradeUnderWayIsClosedWith1012) {
  World world(quiet());
  const std::string sid = world.open();
  http::Client& poll = world.start_get(with_sid(sid));
  http::Client& probing = world.websocket(with_sid(sid, "websocket"));
  probing.send(masked_frame(1, "2probe"));
  ASSERT_TRUE(world.until([&] { return frames_after_head(probing).size() == 1; }));
  world.server->drain(0);
  ASSERT_TRUE(world.answered(poll));
  if (body_of(poll.seen) == "6")
    world.get(with_sid(sid));  // it made room for the upgrade; the next brings the news
  ASSERT_TRUE(world.until([&] { return frames_after_head(probing).size() == 2; }));
  EXPECT_EQ(frames_after_head(probing)[1].opcode, 8);
  EXPECT_EQ(frames_after_head(probing)[1].body, "\x03\xf4");
}

TEST(Draining, ABodyUnderWayIsWaitedFor) {
  World world(quiet());
  const std::string sid = world.open();
  http::Client& poll = world.start_get(with_sid(sid));
  http::Client& post = world.connect();
  post.send("POST /socket.io/?" + with_sid(sid) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n4s");
  ASSERT_TRUE(world.until([&] { return world.app.sessions[0].session->writable(); }));
  world.run_for(50);
  world.server->drain(60'000);
  world.run_for(50);
  post.send("ay");
  ASSERT_TRUE(world.answered(post));
  EXPECT_EQ(body_of(post.seen), "ok");
  EXPECT_EQ(world.app.sessions[0].messages, std::vector<std::string>{"say"});
  ASSERT_TRUE(world.answered(poll));
  EXPECT_EQ(body_of(poll.seen), "1");
}

TEST(Draining, WhatIsLeftIsCutAtOnce) {
  World world(quiet());
  const std::string sid = world.open();
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until([&] { return world.app.sessions.size() == 2; }));
  world.server->drain(60'000);
  world.server->close_all();
  EXPECT_EQ(world.server->sessions(), 0u);
  for (Seen& seen : world.app.sessions) EXPECT_EQ(seen.closed, std::vector{Reason::server_shutting_down});
  ASSERT_TRUE(world.until([&] { return frames_after_head(socket).size() == 2; }));
  EXPECT_EQ(frames_after_head(socket)[1].body, "\x03\xf4");
}

}  // namespace
}  // namespace limpet::engine
