// Bodies as Node.js wrote them: two servers of socket.io 4.8.4 with @socket.io/redis-adapter 8.3.0, the
// second with publishOnSpecificResponseChannel, on Redis 7.0.15; caught by PSUBSCRIBE *. kU is the uid of the
// first.
#include "backend/cluster/classic_wire.h"

#include <gmock/gmock.h>

#include "backend/cluster/room_name.h"
#include "backend/codec/json_writer.h"
#include "tests/unit/codec/hex.h"

namespace limpet::cluster::classic_wire {
namespace {

using codec::hex;
using codec::unhex;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kU = "hfyLS6";

std::string json(const Args& args) {
  std::string text;
  for (const auto& value : args.values()) {
    if (!text.empty()) text += ' ';
    codec::write_json_with_buffers(text, value, args);
  }
  return text;
}
Target to(std::vector<std::string> rooms, std::vector<std::string> except = {}) {
  return {std::move(rooms), std::move(except), {}};
}

// What was captured is read as what was said, and is what is written for it.
struct Said {
  const char* hex;
  std::string name;
  Args args;
  Target target;
  bool name_is_number = false;
  std::string nsp = "/";
};
void expect_said(const Said& said) {
  const auto read = read_broadcast(unhex(said.hex));
  ASSERT_TRUE(read) << said.hex;
  EXPECT_EQ(read->event.name, said.name);
  EXPECT_EQ(read->event.name_is_number, said.name_is_number);
  EXPECT_EQ(json(read->event.args), json(said.args));
  EXPECT_EQ(read->nsp, said.nsp);
  EXPECT_EQ(read->target.rooms, said.target.rooms);
  EXPECT_EQ(read->target.except, said.target.except);
  EXPECT_EQ(read->target.flags.volatile_, said.target.flags.volatile_);
  EXPECT_EQ(read->target.flags.compress, said.target.flags.compress);
  EXPECT_EQ(read->target.flags.timeout_ms, said.target.flags.timeout_ms);
  Writer out;
  write_broadcast(out, read->uid, said.nsp, {said.name, said.args, said.name_is_number}, said.target);
  EXPECT_EQ(hex(out.bytes()), said.hex);
  EXPECT_TRUE(unhex(said.hex).starts_with(beginning_of_own(read->uid)));
}

TEST(ClassicWire, BroadcastsAreThoseOfNodeJs) {
  // io.emit("hello", 1, "two", { three: [3, null, true] })
  expect_said(
      {"93a66866794c533683a47479706502a46461746194a568656c6c6f01a374776f81a574687265659303c0c3a36e7370a12f83a"
       "5"
       "726f6f6d7390a665786365707490a5666c61677380",
       "hello",
       {1, "two", {{"three", {3, nullptr, true}}}},
       {}});
  // io.emit("u", undefined, { a: undefined, b: 1.5 })
  expect_said(
      {"93a66866794c533683a47479706502a46461746193a175c081a162cb3ff8000000000000a36e7370a12f83a5726f6f6d7390a"
       "6"
       "65786365707490a5666c61677380",
       "u",
       {nullptr, {{"b", 1.5}}},
       {}});
  // io.to("room").emit("r"), and .to("room").to("room")
  expect_said(
      {"93a66866794c533683a47479706502a46461746191a172a36e7370a12f83a5726f6f6d7391a4726f6f6da665786365707490a"
       "5"
       "666c61677380",
       "r",
       {},
       to({"room"})});
  // io.to(["room", "other"]).except("no").emit("r")
  expect_said(
      {"93a66866794c533683a47479706502a46461746191a172a36e7370a12f83a5726f6f6d7392a4726f6f6da56f74686572a6657"
       "8"
       "6365707491a26e6fa5666c61677380",
       "r",
       {},
       to({"room", "other"}, {"no"})});
  // io.to(42).emit("r")
  expect_said(
      {"93a66866794c533683a47479706502a46461746191a172a36e7370a12f83a5726f6f6d73912aa665786365707490a5666c616"
       "7"
       "7380",
       "r",
       {},
       to({room_name(42)})});
  // io.emit(7, "x")
  expect_said(
      {"93a66866794c533683a47479706502a4646174619207a178a36e7370a12f83a5726f6f6d7390a665786365707490a5666c616"
       "7"
       "7380",
       "7",
       {"x"},
       {},
       true});
  // io.volatile.compress(false).timeout(1000).emit("v")
  Target flagged;
  flagged.flags = {.volatile_ = true, .compress = false, .timeout_ms = 1000};
  expect_said(
      {"93a66866794c533683a47479706502a46461746191a176a36e7370a12f83a5726f6f6d7390a665786365707490a5666c61677"
       "3"
       "83a8766f6c6174696c65c3a8636f6d7072657373c2a774696d656f7574cd03e8",
       "v",
       {},
       flagged});
  // io.of("/admin").emit("x")
  expect_said(
      {"93a6524f3677315183a47479706502a46461746191a178a36e7370a62f61646d696e83a5726f6f6d7390a665786365707490a"
       "5"
       "666c61677380",
       "x",
       {},
       {},
       false,
       "/admin"});
}

// io.emit("bytes", Buffer.from([0, 255]), { in: Buffer.from("x") })
TEST(ClassicWire, BytesStandWhereTheyWere) {
  Args args;
  args.add(codec::Binary{std::string("\0\xff", 2)});
  args.add({{"in", args.attach("x")}});
  expect_said(
      {"93a66866794c533683a47479706502a46461746193a56279746573c40200ff81a2696ec40178a36e7370a12f83a5726f6f6d7"
       "3"
       "90a665786365707490a5666c61677380",
       "bytes", args, Target()});
}

// io.compress(true).emit("v"): here as by default.
TEST(ClassicWire, AFlagThatChangesNothingIsRead) {
  const auto read =
      read_broadcast(unhex("93a66866794c533683a47479706502a46461746191a176a36e7370a12f83a5726f6f6d7390a665786"
                           "365707490a5666c61677381"
                           "a8636f6d7072657373c3"));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->target.flags.compress);
}

TEST(ClassicWire, AnEmittersKeysStandInAnotherOrder) {
  const auto read =
      read_broadcast(unhex("93a7656d697474657283a47479706502a46461746191a178a36e7370a12f83a5726f6f6d7391a172a"
                           "5666c61677381a8766f6c6174"
                           "696c65c3a665786365707490"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->uid, "emitter");
  EXPECT_THAT(read->target.rooms, ElementsAre("r"));
  EXPECT_TRUE(read->target.flags.volatile_);
}

// The emitters of Socket.IO 2 tell binary events apart, and send a body of three.
TEST(ClassicWire, ABinaryEventIsAnEvent) {
  Writer out;
  out.array(3);
  out.text("emitter");
  out.map(2);
  out.text("type");
  out.integer(5);
  out.text("data");
  out.array(2);
  out.text("x");
  out.binary("b");
  out.map(0);
  const auto read = read_broadcast(out.bytes());
  ASSERT_TRUE(read);
  EXPECT_EQ(json(read->event.args), R"({"type":"Buffer","data":[98]})");
  EXPECT_EQ(read->nsp, "/");
  EXPECT_THAT(read->target.rooms, IsEmpty());
}

TEST(ClassicWire, RequestsAreThoseOfNodeJs) {
  EXPECT_EQ(rooms_request(Type::join, kU, to({"room"}), {"n1", room_name(5)}),
            R"({"uid":"hfyLS6","type":2,"opts":{"rooms":["room"],"except":[]},"rooms":["n1",5]})");
  EXPECT_EQ(rooms_request(Type::leave, kU, to({"room"}, {"q"}), {"n1"}),
            R"({"uid":"hfyLS6","type":3,"opts":{"rooms":["room"],"except":["q"]},"rooms":["n1"]})");
  EXPECT_EQ(disconnect_request(kU, to({"room"}), true),
            R"({"uid":"hfyLS6","type":4,"opts":{"rooms":["room"],"except":[]},"close":true})");
  EXPECT_EQ(fetch_request(kU, "N_4HEX", to({"room"})),
            R"({"uid":"hfyLS6","requestId":"N_4HEX","type":5,"opts":{"rooms":["room"],"except":[]}})");
  Args args{1};
  args.add(codec::Binary{"\x03"});
  EXPECT_EQ(emit_request(kU, "", {"ping", args}),
            R"({"uid":"hfyLS6","type":6,"data":["ping",1,{"type":"Buffer","data":[3]}]})");
  EXPECT_EQ(emit_request(kU, "gR9ej2", {"ping", {"p"}}),
            R"({"uid":"hfyLS6","requestId":"gR9ej2","type":6,"data":["ping","p"]})");
}

TEST(ClassicWire, RequestsOfNodeJsAreRead) {
  auto read =
      read_request(R"({"uid":"hfyLS6","type":2,"opts":{"rooms":["room"],"except":["q"]},"rooms":["n1",5]})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, Type::join);
  EXPECT_EQ(read->uid, kU);
  EXPECT_EQ(read->id, "");
  EXPECT_THAT(read->target.value().rooms, ElementsAre("room"));
  EXPECT_THAT(read->target.value().except, ElementsAre("q"));
  EXPECT_THAT(read->rooms, ElementsAre("n1", room_name(5)));

  read = read_request(R"({"uid":"hfyLS6","type":4,"opts":{"rooms":["room"],"except":[]},"close":true})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, Type::disconnect);
  EXPECT_TRUE(read->close);

  read = read_request(R"({"uid":"hfyLS6","requestId":"44tDKH","type":1})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, Type::all_rooms);
  EXPECT_EQ(read->id, "44tDKH");

  read = read_request(
      R"({"uid":"hfyLS6","requestId":"gR9ej2","type":6,"data":["ping","p",{"type":"Buffer","data":[3]}]})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->event.name, "ping");
  EXPECT_EQ(json(read->event.args), R"("p" {"type":"Buffer","data":[3]})");
}

// io.timeout(500).emitWithAck("ask", 5)
TEST(ClassicWire, ABroadcastWithAckIsThatOfNodeJs) {
  constexpr const char* kRequest =
      "85a3756964a66866794c5336a9726571756573744964a6593969357766a47479706507a67061636b657483a47479706502a464"
      "61746192"
      "a361736b05a36e7370a12fa46f70747383a5726f6f6d7390a665786365707490a5666c61677381a774696d656f7574cd01f4";
  const auto read = read_request(unhex(kRequest));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, Type::broadcast);
  EXPECT_EQ(read->id, "Y9i5wf");
  EXPECT_EQ(read->event.name, "ask");
  EXPECT_EQ(json(read->event.args), "5");
  EXPECT_EQ(read->target.value().flags.timeout_ms, 500U);
  Writer out;
  write_broadcast_request(out, kU, "Y9i5wf", "/", {"ask", {5}}, *read->target);
  EXPECT_EQ(hex(out.bytes()), kRequest);
}

TEST(ClassicWire, AnswersAreThoseOfNodeJs) {
  EXPECT_EQ(clients_answer("Y9i5wf", 1), R"({"type":8,"requestId":"Y9i5wf","clientCount":1})");
  EXPECT_EQ(rooms_answer("44tDKH", {"room", room_name(42)}), R"({"requestId":"44tDKH","rooms":["room",42]})");
  EXPECT_EQ(sockets_answer("q", {}), R"({"requestId":"q","sockets":[]})");
  EXPECT_EQ(fetch_answer("c2Ns3J", {}), R"({"requestId":"c2Ns3J","sockets":[]})");
  EXPECT_EQ(emit_answer("5SzJbi", {}), R"({"type":6,"requestId":"5SzJbi"})");
  Args args;
  args.add({{"pong", "p"}, {"bytes", args.attach("\x07")}});
  EXPECT_EQ(emit_answer("gR9ej2", args),
            R"({"type":6,"requestId":"gR9ej2","data":{"pong":"p","bytes":{"type":"Buffer","data":[7]}}})");
  Writer out;
  write_ack_answer(out, "Y9i5wf", {5, "more"});
  EXPECT_EQ(hex(out.bytes()), "83a47479706509a9726571756573744964a6593969357766a67061636b657405");
  out.clear();
  write_ack_answer(out, "7Xirow", {});
  EXPECT_EQ(hex(out.bytes()), "82a47479706509a9726571756573744964a6375869726f77");
}

TEST(ClassicWire, AnswersOfNodeJsAreRead) {
  auto read = read_answer(R"({"type":8,"requestId":"Y9i5wf","clientCount":1})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, Type::client_count);
  EXPECT_EQ(read->clients, 1U);
  for (const char* odd : {"-1", "1.5", "1000000001", "1e300", "\"1\"", "null"}) {
    read = read_answer(R"({"type":8,"requestId":"Y9i5wf","clientCount":)" + std::string(odd) + "}");
    ASSERT_TRUE(read) << odd;
    EXPECT_FALSE(read->clients) << odd;
  }

  read = read_answer(unhex("83a47479706509a9726571756573744964a6593969357766a67061636b657405"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, Type::ack);
  EXPECT_EQ(json(read->first), "5");

  read = read_answer(R"({"type":6,"requestId":"5SzJbi"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(json(read->first), "null");

  read = read_answer(
      R"({"requestId":"N_4HEX","sockets":[{"id":"Bp1j7zUiRKFKsPFHAAAA","handshake":{"headers":{"host":"127.0.0.1:34115"},)"
      R"~("time":"Fri Nov 27 2026 04:06:51 GMT+0000 (Coordinated Universal Time)","address":"::ffff:127.0.0.1",)~"
      R"("xdomain":false,"secure":false,"issued":1795752411087,"url":"/socket.io/?EIO=4&transport=websocket",)"
      R"("query":{"EIO":"4","transport":"websocket"},"auth":{"t":1}},"rooms":["Bp1j7zUiRKFKsPFHAAAA","room",42,5],)"
      R"("data":{"name":"x","b":{"type":"Buffer","data":[1]}}}]})");
  ASSERT_TRUE(read && read->sockets && read->sockets->size() == 1);
  const RemoteSocket& socket = read->sockets->front();
  EXPECT_EQ(socket.id, "Bp1j7zUiRKFKsPFHAAAA");
  EXPECT_EQ(socket.handshake.at("auth").at("t"), 1);
  EXPECT_THAT(socket.rooms, ElementsAre("Bp1j7zUiRKFKsPFHAAAA", "room", room_name(42), room_name(5)));
  EXPECT_EQ(socket.data.at("name"), "x");
  // And written again as it was
  EXPECT_THAT(fetch_answer("N_4HEX", *read->sockets),
              testing::HasSubstr(R"("rooms":["Bp1j7zUiRKFKsPFHAAAA","room",42,5],"data":{"name")"));
}

TEST(ClassicWire, ChannelsAreThoseOfNodeJs) {
  const Channels main("socket.io", "/", kU);
  EXPECT_EQ(main.of({}), "socket.io#/#");
  EXPECT_EQ(main.of(to({"room"})), "socket.io#/#room#");
  EXPECT_EQ(main.of(to({"room", "room"})), "socket.io#/#room#");
  EXPECT_EQ(main.of(to({"room", "other"})), "socket.io#/#");
  EXPECT_EQ(main.of(to({room_name(42)})), "socket.io#/#42#");
  EXPECT_EQ(main.of(to({room_name(42), "42"})), "socket.io#/#");
  EXPECT_EQ(main.pattern, "socket.io#/#*");
  EXPECT_EQ(main.request, "socket.io-request#/#");
  EXPECT_EQ(main.response, "socket.io-response#/#");
  EXPECT_EQ(main.own_response, "socket.io-response#/#hfyLS6#");
  EXPECT_EQ(Channels("k", "/a*?[b]\\", kU).pattern, "k#/a\\*\\?\\[b\\]\\\\#*");
}

TEST(ClassicWire, ATimeoutIsBounded) {
  const auto timeout = [](const std::string& flag) {
    const auto read = read_request(R"({"type":7,"requestId":"q","opts":{"flags":{"timeout":)" + flag +
                                   R"(}},"packet":{"type":2,"data":["x"]}})");
    return read ? read->target->flags.timeout_ms : 1;
  };
  EXPECT_EQ(timeout("1e300"), 600000U);
  EXPECT_EQ(timeout("1e999"), 600000U);
  EXPECT_EQ(timeout("-5"), 0U);
  EXPECT_EQ(timeout("\"soon\""), 0U);
}

}  // namespace
}  // namespace limpet::cluster::classic_wire
