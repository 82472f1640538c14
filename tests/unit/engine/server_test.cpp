// Sessions as their application sees them. What clients see, beside Node.js: tests/conformance.
#include "tests/unit/engine/world.h"

namespace limpet::engine {
namespace {

void echo(Seen& seen, std::string_view data) {
  seen.session->send(packet_of(Kind::text, {data}));
}

TEST(EngineServer, ASidNamesItsNode) {
  World world(quiet());
  const std::string sid = world.open();
  EXPECT_EQ(sid.size(), 20u);
  EXPECT_TRUE(sid.ends_with("_9OrFaYU"));
  EXPECT_EQ(world.app.sessions[0].session->sid(), sid);
}

TEST(EngineServer, TheApplicationSeesTheHandshake) {
  World world(quiet());
  world.get("EIO=4&transport=polling&token=a%20b",
            "Origin: http://a\r\nUser-Agent: agent\r\nCookie: io=1\r\nX-Forwarded-For: 10.0.0.1\r\n");
  const Handshake& handshake = world.app.sessions.at(0).session->handshake();
  EXPECT_EQ(handshake.target(), "/socket.io/?EIO=4&transport=polling&token=a%20b");
  EXPECT_EQ(handshake.address(), "127.0.0.1");
  EXPECT_EQ(handshake.origin(), "http://a");
  EXPECT_EQ(handshake.user_agent(), "agent");
  EXPECT_EQ(handshake.cookie(), "io=1");
  EXPECT_EQ(handshake.forwarded_for(), "10.0.0.1");
  EXPECT_GT(handshake.time_ms(), 1'700'000'000'000);
}

TEST(EngineServer, ClosedFromWithinOnOpen) {
  World world(quiet());
  world.app.on_opened = [](Seen& seen) { seen.session->close(); };
  http::Client& client = world.websocket();
  ASSERT_TRUE(world.until([&] { return frames_after_head(client).size() == 2; }));
  EXPECT_EQ(frames_after_head(client)[1].opcode, 8);
  EXPECT_EQ(world.app.sessions[0].closed, std::vector{Reason::forced_close});
  EXPECT_EQ(world.server->sessions(), 0u);

  const std::string sid = world.open();  // a poll that was answered: the next one hears of it
  EXPECT_EQ(world.app.sessions[1].closed.size(), 0u);
  EXPECT_TRUE(world.app.sessions[1].session->closing());
  EXPECT_EQ(body_of(world.get(with_sid(sid))),
            "6\x1e"
            "1");
  EXPECT_EQ(world.app.sessions[1].closed, std::vector{Reason::forced_close});
}

TEST(EngineServer, DiscardedFromWithinAMessageThePostIsStillAnswered) {
  World world(quiet());
  world.app.on_said = [](Seen& seen, std::string_view) { seen.session->discard(Reason::forced_close); };
  const std::string sid = world.open();
  http::Client& poll = world.start_get(with_sid(sid));
  EXPECT_EQ(body_of(world.post(with_sid(sid),
                               "4a\x1e"
                               "4b")),
            "ok");
  ASSERT_TRUE(world.answered(poll));
  EXPECT_EQ(body_of(poll.seen), "1");
  EXPECT_EQ(world.app.sessions[0].messages, std::vector<std::string>{"a"});  // nothing after the end
  EXPECT_EQ(body_of(world.get(with_sid(sid))), R"({"code":1,"message":"Session ID unknown"})");
}

TEST(EngineServer, WhatIsSentBeforeACloseComesFirst) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  seen.send("a");
  seen.session->send(packet_of(Kind::binary, {"bin", "ary"}));
  seen.session->close();
  seen.send("too late");
  EXPECT_EQ(body_of(world.get(with_sid(sid))),
            "4a\x1e"
            "bYmluYXJ5");
  EXPECT_EQ(seen.closed.size(), 0u);
  EXPECT_EQ(body_of(world.get(with_sid(sid))),
            "6\x1e"
            "1");
  EXPECT_EQ(seen.closed, std::vector{Reason::forced_close});
}

TEST(EngineServer, WritableIsForVolatileMessages) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  EXPECT_FALSE(seen.session->writable());
  http::Client& poll = world.start_get(with_sid(sid));
  ASSERT_TRUE(world.until([&] { return seen.session->writable(); }));
  seen.send("a");
  EXPECT_FALSE(seen.session->writable());
  ASSERT_TRUE(world.answered(poll));
  world.websocket();
  ASSERT_TRUE(world.until(
      [&] { return world.app.sessions.size() == 2 && world.app.sessions[1].session->writable(); }));
}

TEST(EngineServer, AnUpgradeKeepsWhatWasQueued) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  seen.send("a");
  seen.session->send(packet_of(Kind::binary, {"b"}));
  http::Client& client = world.websocket(with_sid(sid, "websocket"));
  client.send(masked_frame(1, "2probe"));
  ASSERT_TRUE(world.until([&] { return frames_after_head(client).size() == 1; }));
  EXPECT_FALSE(seen.session->over_websocket());
  client.send(masked_frame(1, "5") + masked_frame(1, "4from the same packet"));
  ASSERT_TRUE(
      world.until([&] { return frames_after_head(client).size() == 3 && seen.messages.size() == 1; }));
  EXPECT_TRUE(seen.session->over_websocket());
  EXPECT_EQ(frames_after_head(client)[1].body, "4a");
  EXPECT_EQ(frames_after_head(client)[2].opcode, 2);
  EXPECT_EQ(world.server->totals().websockets, 1u);
  EXPECT_EQ(world.server->totals().pollings, 0u);
}

TEST(EngineServer, AClosingSessionThatUpgradesEndsThere) {
  World world(quiet());
  const std::string sid = world.open();
  Seen& seen = world.app.sessions[0];
  http::Client& client = world.websocket(with_sid(sid, "websocket"));
  client.send(masked_frame(1, "2probe"));
  ASSERT_TRUE(world.until([&] { return frames_after_head(client).size() == 1; }));
  seen.send("last");
  seen.session->close();
  client.send(masked_frame(1, "5"));
  ASSERT_TRUE(world.until([&] { return frames_after_head(client).size() == 3; }));
  EXPECT_EQ(frames_after_head(client)[1].body, "4last");
  EXPECT_EQ(frames_after_head(client)[2].opcode, 8);
  EXPECT_EQ(seen.closed, std::vector{Reason::forced_close});
}

TEST(EngineServer, ACandidateEndsWithItsSession) {
  World world(quiet());
  const std::string sid = world.open();
  http::Client& client = world.websocket(with_sid(sid, "websocket"));
  client.send(masked_frame(1, "2probe"));
  ASSERT_TRUE(world.until([&] { return frames_after_head(client).size() == 1; }));
  world.app.sessions[0].session->discard(Reason::forced_close);
  ASSERT_TRUE(world.until([&] { return frames_after_head(client).size() == 2; }));
  EXPECT_EQ(frames_after_head(client)[1].opcode, 8);
  EXPECT_EQ(frames_after_head(client)[1].body, "");
}

TEST(EngineServer, AnUpgradeDoesNotForgetThePingThatWasAsked) {
  Options options;
  options.ping_interval_ms = 50;
  options.ping_timeout_ms = 150;
  World world(options);
  const std::string sid = world.open();
  EXPECT_EQ(body_of(world.get(with_sid(sid))), "2");
  http::Client& client = world.websocket(with_sid(sid, "websocket"));
  client.send(masked_frame(1, "5"));
  ASSERT_TRUE(world.until([&] { return world.server->totals().websockets == 1; }));
  ASSERT_TRUE(world.until([&] { return !world.app.sessions[0].closed.empty(); }));
  EXPECT_EQ(world.app.sessions[0].closed, std::vector{Reason::ping_timeout});
}

TEST(EngineServer, RevisionThreeOverWebSocket) {
  Options options = quiet();
  options.allow_eio3 = true;
  World world(options);
  http::Client& bytes = world.websocket("EIO=3&transport=websocket");
  http::Client& text = world.websocket("EIO=3&transport=websocket&b64=1");
  http::Client& four = world.websocket("EIO=4&transport=websocket&b64=1");
  ASSERT_TRUE(world.until([&] { return world.app.sessions.size() == 3; }));
  const MessageRef packet = packet_of(Kind::binary, {"abc"});
  for (Seen& seen : world.app.sessions) seen.session->send(packet);
  const auto second = [&](http::Client& client) {
    EXPECT_TRUE(world.until([&] { return frames_after_head(client).size() == 2; }));
    return frames_after_head(client).at(1);
  };
  EXPECT_EQ(second(bytes).body, "\4abc");
  EXPECT_EQ(second(text).body, "b4YWJj");
  EXPECT_EQ(second(four).body, "bYWJj");
  EXPECT_EQ(second(four).opcode, 1);
  bytes.send(masked_frame(1, "2anything"));
  ASSERT_TRUE(world.until([&] { return frames_after_head(bytes).size() == 3; }));
  EXPECT_EQ(frames_after_head(bytes)[2].body, "3");
}

TEST(EngineServer, HeadsAndOtherMethods) {
  World world(quiet());
  const std::string sid = world.open();
  http::Client& client = world.connect();
  client.send("DELETE /socket.io/?" + with_sid(sid) + " HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(world.answered(client));
  EXPECT_TRUE(client.has("HTTP/1.1 500 "));
  EXPECT_EQ(body_of(client.seen), "");
  EXPECT_EQ(world.server->sessions(), 1u);
}

TEST(EngineServer, ACookieOfItsOwnValueIsSetOnBothTransports) {
  Options options = quiet();
  options.cookie = {.name = "io", .value = "ws1"};
  World world(options);
  EXPECT_NE(
      world.get("EIO=4&transport=polling").find("Set-Cookie: io=ws1; Path=/; HttpOnly; SameSite=Lax\r\n"),
      std::string::npos);
  http::Client& client = world.websocket();
  ASSERT_TRUE(world.until([&] { return !frames_after_head(client).empty(); }));
  EXPECT_TRUE(client.has("Set-Cookie: io=ws1; Path=/; HttpOnly; SameSite=Lax\r\n"));
}

TEST(EngineServer, CountsWhatPasses) {
  World world(quiet());
  world.app.on_said = echo;
  const std::string sid = world.open();
  world.post(with_sid(sid), "4abc");
  world.get(with_sid(sid));
  world.get(with_sid("01234567890123456789"));
  const Totals& totals = world.server->totals();
  EXPECT_EQ(totals.opened, 1u);
  EXPECT_EQ(totals.packets_in, 1u);
  EXPECT_EQ(totals.packets_out, 1u);
  EXPECT_EQ(totals.bytes_in, 4u);
  EXPECT_EQ(totals.bytes_out, 4u);
  EXPECT_EQ(totals.refused, 1u);
  EXPECT_EQ(totals.pollings, 1u);
  world.post(with_sid(sid), "1");
  EXPECT_EQ(totals.closed, 1u);
  EXPECT_EQ(totals.by_reason[static_cast<std::size_t>(Reason::transport_close)], 1u);
  EXPECT_EQ(totals.pollings, 0u);
}

TEST(EngineServer, GoesAwayWithRequestsAndSocketsOpen) {
  World world(quiet());
  const std::string sid = world.open();
  http::Client& poll = world.start_get(with_sid(sid));
  http::Client& socket = world.websocket();
  ASSERT_TRUE(world.until(
      [&] { return world.app.sessions.size() == 2 && world.app.sessions[0].session->writable(); }));
  world.server.reset();
  ASSERT_TRUE(world.until([&] { return poll.ended() && socket.ended(); }));
}

// RFC 7692, 7.1. Node.js answers such an offer with 400.
TEST(EngineServer, CompressionThatIsOfferedWronglyIsDeclined) {
  for (const ws::Deflate mode : {ws::Deflate::off, ws::Deflate::shared, ws::Deflate::dedicated}) {
    Options options = quiet();
    options.deflate = mode;
    World world(options);
    for (const char* offer : {"permessage-deflate; x=1", "permessage-deflate; server_max_window_bits=7",
                              "permessage-deflate; client_no_context_takeover=1",
                              "permessage-deflate; =", "permessage-deflate x", "; , =\""}) {
      http::Client& client = world.websocket("EIO=4&transport=websocket",
                                             "Sec-WebSocket-Extensions: " + std::string(offer) + "\r\n");
      ASSERT_TRUE(world.until([&] { return !frames_after_head(client).empty(); })) << offer;
      EXPECT_TRUE(client.seen.starts_with("HTTP/1.1 101 ")) << client.seen;
      EXPECT_EQ(client.seen.find("Sec-WebSocket-Extensions"), std::string::npos) << offer;
      EXPECT_TRUE(frames_after_head(client).front().body.starts_with("0{")) << offer;
    }
  }
}

}  // namespace
}  // namespace limpet::engine
