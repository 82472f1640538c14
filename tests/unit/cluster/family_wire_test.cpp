// Bodies are those of @socket.io/redis-adapter 8.3.0 (sharded) and @socket.io/redis-streams-adapter 0.3.1.
#include "backend/cluster/family_wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/cluster/text_writer.h"
#include "backend/codec/msgpack.h"
#include "tests/unit/cluster/fake_host.h"
#include "tests/unit/codec/hex.h"

namespace limpet::cluster::family {
namespace {

using codec::unhex;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kUid = "0123456789abcdef";
constexpr std::string_view kRequest = "00112233aabbccdd";

std::string text(const Outgoing& what) {
  TextWriter writer;
  write(writer, what, kUid, "/");
  return std::string(writer.bytes());
}
std::string binary(const Outgoing& what) {
  codec::msgpack::Writer writer;
  write(writer, what, kUid, "/");
  return std::string(writer.bytes());
}
Incoming incoming(std::string_view body) {
  auto said = read(body);
  EXPECT_TRUE(said) << body;
  return said ? std::move(*said) : Incoming{};
}

const std::string kPlain =
    R"({"type":3,"data":{"packet":{"type":2,"data":["ev",1,"x",{"a":[null,1.5]}]},"opts":{"rooms":[],"except":[],)"
    R"("flags":{}}},"uid":"0123456789abcdef","nsp":"/"})";
const std::string kBytes = unhex(
    "84a47479706503a46461746182a67061636b657482a47479706502a46461746192a26576c4030102ffa46f70747383a5726f6f6d"
    "7392"
    "a4726f6f6d2aa665786365707491a26e6fa5666c61677382a8766f6c6174696c65c3a8636f6d7072657373c2a3756964b0303132"
    "3334"
    "35363738396162636465"
    "66a36e7370a12f");
const std::string kAsked =
    R"({"type":3,"data":{"packet":{"type":2,"data":["ask",1]},"requestId":"00112233aabbccdd","opts":{"rooms":[],)"
    R"("except":[],"flags":{"timeout":500}}},"uid":"0123456789abcdef","nsp":"/"})";

TEST(FamilyWire, ABroadcastIsReadAsNodeJsWritesIt) {
  Incoming said = incoming(kPlain);
  EXPECT_EQ(said.type, Type::broadcast);
  EXPECT_EQ(said.uid, kUid);
  EXPECT_EQ(said.nsp, "/");
  Broadcast broadcast;
  ASSERT_TRUE(take_broadcast(said, broadcast));
  EXPECT_EQ(broadcast.event.name, "ev");
  EXPECT_EQ(FakeHost::json(broadcast.event.args), R"([1,"x",{"a":[null,1.5]}])");
  EXPECT_EQ(broadcast.request, "");
  EXPECT_THAT(broadcast.target.rooms, IsEmpty());
  EXPECT_FALSE(broadcast.target.flags.volatile_);
  EXPECT_TRUE(broadcast.target.flags.compress);
}

TEST(FamilyWire, ABroadcastWithBytesToo) {
  Incoming said = incoming(kBytes);
  Broadcast broadcast;
  ASSERT_TRUE(take_broadcast(said, broadcast));
  EXPECT_THAT(broadcast.event.args.binaries(), ElementsAre("\x01\x02\xff"));
  EXPECT_NE(broadcast.event.args.binary(broadcast.event.args[0]), nullptr);
  EXPECT_THAT(broadcast.target.rooms, ElementsAre("room",
                                                  "\xff"
                                                  "42"));
  EXPECT_THAT(broadcast.target.except, ElementsAre("no"));
  EXPECT_TRUE(broadcast.target.flags.volatile_);
  EXPECT_FALSE(broadcast.target.flags.compress);
}

TEST(FamilyWire, IsWrittenAsNodeJsWritesIt) {
  const codec::Args args{1, "x", {{"a", {nullptr, 1.5}}}};
  const adapter::Event event{"ev", args};
  const adapter::Target all;
  EXPECT_EQ(text({.type = Type::broadcast, .target = &all, .event = &event}), kPlain);

  codec::Args bytes;
  bytes.add(codec::Binary{"\x01\x02\xff"});
  const adapter::Event with_bytes{"ev", bytes};
  adapter::Target some{{"room",
                        "\xff"
                        "42"},
                       {"no"},
                       {}};
  some.flags.volatile_ = true;
  some.flags.compress = false;
  const Outgoing what{.type = Type::broadcast, .target = &some, .event = &with_bytes};
  EXPECT_TRUE(what.has_bytes());
  EXPECT_EQ(binary(what), kBytes);

  const codec::Args one{1};
  const adapter::Event ask{"ask", one};
  adapter::Target timed;
  timed.flags.timeout_ms = 500;
  EXPECT_EQ(text({.type = Type::broadcast, .target = &timed, .request = kRequest, .event = &ask}), kAsked);
}

TEST(FamilyWire, WhatChangesRoomsIsWrittenAsNodeJsWritesIt) {
  const adapter::Target target{{"r"}, {}, {}};
  const std::vector<std::string> rooms{"j1",
                                       "\xff"
                                       "7"};
  EXPECT_EQ(text({.type = Type::join, .target = &target, .rooms = &rooms}),
            R"({"type":4,"data":{"opts":{"rooms":["r"],"except":[],"flags":{}},"rooms":["j1",7]},)"
            R"("uid":"0123456789abcdef","nsp":"/"})");
  EXPECT_EQ(text({.type = Type::disconnect, .target = &target, .close = true}),
            R"({"type":6,"data":{"opts":{"rooms":["r"],"except":[],"flags":{}},"close":true},)"
            R"("uid":"0123456789abcdef","nsp":"/"})");
}

TEST(FamilyWire, QuestionsAreWrittenAsNodeJsWritesThem) {
  const adapter::Target target{{"r"}, {}, {}};
  EXPECT_EQ(
      text({.type = Type::fetch, .target = &target, .request = kRequest}),
      R"({"type":7,"data":{"opts":{"rooms":["r"],"except":[],"flags":{}},"requestId":"00112233aabbccdd"},)"
      R"("uid":"0123456789abcdef","nsp":"/"})");
  const codec::Args args{1, {{"b", 2}}};
  const adapter::Event event{"hello", args};
  EXPECT_EQ(text({.type = Type::server_event, .event = &event}),
            R"({"type":9,"data":{"packet":["hello",1,{"b":2}]},"uid":"0123456789abcdef","nsp":"/"})");
  EXPECT_EQ(
      binary({.type = Type::server_event, .event = &event}),
      unhex(
          "84a47479706509a46461746181a67061636b657493a568656c6c6f0181a16202a3756964b0303132333435363738396162"
          "63646566a36e7370a12f"));
}

TEST(FamilyWire, AnswersAreWrittenAsNodeJsWritesThem) {
  EXPECT_EQ(
      text({.type = Type::clients_asked, .request = kRequest, .clients = 2}),
      R"({"type":11,"data":{"requestId":"00112233aabbccdd","clientCount":2},"uid":"0123456789abcdef","nsp":"/"})");
  codec::Args args;
  args.add({"ok", args.attach("\x03")});
  EXPECT_EQ(binary({.type = Type::client_answer, .request = kRequest, .answer = &args}),
            unhex("84a4747970650ca46461746182a9726571756573744964b030303131323233336161626263636464a670616"
                  "36b657492a26f6bc4"
                  "0103a3756964b030313233343536373839616263646566a36e7370a12f"));
  const codec::Args nothing;
  EXPECT_EQ(
      binary({.type = Type::server_answer, .request = kRequest, .answer = &nothing}),
      unhex(
          "84a4747970650aa46461746182a9726571756573744964b030303131323233336161626263636464a67061636b6574c0a3"
          "756964b030313233343536373839616263646566a36e7370a12f"));
  const std::vector<adapter::RemoteSocket> sockets{{"s1",
                                                    {{"url", "/"}},
                                                    {"s1",
                                                     "\xff"
                                                     "5"},
                                                    {{"x", 1}}}};
  EXPECT_EQ(
      text({.type = Type::fetch_answer, .request = kRequest, .sockets = &sockets}),
      R"({"type":8,"data":{"requestId":"00112233aabbccdd","sockets":[{"id":"s1","handshake":{"url":"/"},)"
      R"("rooms":["s1",5],"data":{"x":1}}]},"uid":"0123456789abcdef","nsp":"/"})");
}

TEST(FamilyWire, SocketsAreReadBytesAndAll) {
  Incoming said =
      incoming(unhex("84a47479706508a46461746182a9726571756573744964b030303131323233336161626263636464a773"
                     "6f636b6574739184a26964a273"
                     "31a968616e647368616b6581a375726ca12fa5726f6f6d7392a2733105a46461746181a162c40101a375"
                     "6964b0303132333435363738"
                     "39616263646566a36e7370a12f"));
  EXPECT_EQ(said.type, Type::fetch_answer);
  auto sockets = take_sockets(&said.data.values()[0].as_object().at("sockets"), said.data);
  ASSERT_TRUE(sockets && sockets->size() == 1);
  const adapter::RemoteSocket& socket = sockets->front();
  EXPECT_EQ(socket.id, "s1");
  EXPECT_EQ(socket.handshake, (boost::json::value{{"url", "/"}}));
  EXPECT_THAT(socket.rooms, ElementsAre("s1",
                                        "\xff"
                                        "5"));
  EXPECT_EQ(socket.data, (boost::json::value{{"b", {{"type", "Buffer"}, {"data", {1}}}}}));
}

TEST(FamilyWire, NumbersAreNamesOfEvents) {
  Incoming said = incoming(R"({"type":3,"nsp":"/","data":{"packet":{"data":[42,"x"]},"opts":{}}})");
  Broadcast broadcast;
  ASSERT_TRUE(take_broadcast(said, broadcast));
  EXPECT_EQ(broadcast.event.name, "42");
  EXPECT_TRUE(broadcast.event.name_is_number);
  const adapter::Event event{broadcast.event.name, broadcast.event.args, true};
  EXPECT_THAT(text({.type = Type::server_event, .event = &event}),
              testing::HasSubstr(R"("packet":[42,"x"])"));
}

TEST(FamilyWire, WhatIsNoMapOfThisFamilyIsRefused) {
  for (const char* body : {"", "x", "{", "[]", "null", "5", "{}", R"({"type":"x"})", R"({"type":0})",
                           R"({"type":-3})", R"({"type":256})", R"({"type":3,"uid":5})",
                           R"({"type":3,"nsp":{}})", "\xc1", "\x93", "{\xff}", R"({"type":3}x)"}) {
    EXPECT_FALSE(read(body)) << body;
  }
  EXPECT_FALSE(read(R"({"type":3,"uid":")" + std::string(257, 'u') + "\"}"));
  std::string deep = R"({"type":3,"data":)";
  for (int i = 0; i < 100; ++i) deep += "[";
  EXPECT_FALSE(read(deep));
}

TEST(FamilyWire, ABroadcastThatIsNotAsItShouldBeIsRefused) {
  const auto taken = [](const std::string& data) {
    Incoming said = incoming(R"({"type":3,"uid":"x","nsp":"/","data":)" + data + "}");
    Broadcast broadcast;
    return take_broadcast(said, broadcast);
  };
  EXPECT_TRUE(taken(R"({"packet":{"type":2,"data":["e"]},"opts":{"rooms":[],"except":[]}})"));
  EXPECT_TRUE(
      taken(R"({"packet":{"type":2,"data":["e"]},"opts":{"rooms":null,"flags":null},"requestId":null})"));
  for (const char* data :
       {"null", "5", "[]", "{}", R"({"packet":5,"opts":{}})", R"({"packet":{},"opts":{}})",
        R"({"packet":{"data":[]},"opts":{}})", R"({"packet":{"data":["e"]}})",
        R"({"packet":{"data":[null]},"opts":{}})", R"({"packet":{"data":[{}]},"opts":{}})",
        R"({"packet":{"data":{"0":"e"}},"opts":{}})", R"({"packet":{"data":["e"]},"opts":[]})",
        R"({"packet":{"type":3,"data":["e"]},"opts":{}})",
        R"({"packet":{"data":["e"]},"opts":{"rooms":"r"}})",
        R"({"packet":{"data":["e"]},"opts":{"except":5}})", R"({"packet":{"data":["e"]},"opts":{"flags":5}})",
        R"({"packet":{"data":["e"]},"opts":{},"requestId":5})"}) {
    EXPECT_FALSE(taken(data)) << data;
  }
}

// A room that cannot be one must not widen whom it is for.
TEST(FamilyWire, WhatCannotBeARoomIsOneThatNobodyIsIn) {
  Incoming said = incoming(R"({"type":3,"data":{"packet":{"data":["e"]},"opts":{"rooms":[{"a":1}]}}})");
  Broadcast broadcast;
  ASSERT_TRUE(take_broadcast(said, broadcast));
  EXPECT_EQ(broadcast.target.rooms.size(), 1U);
}

TEST(FamilyWire, FlagsOfOddKindsAreNone) {
  Incoming said = incoming(
      R"({"type":3,"data":{"packet":{"data":["e"]},"opts":{"flags":{"volatile":"yes","compress":0,"timeout":-5}}}})");
  Broadcast broadcast;
  ASSERT_TRUE(take_broadcast(said, broadcast));
  EXPECT_FALSE(broadcast.target.flags.volatile_);
  EXPECT_TRUE(broadcast.target.flags.compress);
  EXPECT_EQ(broadcast.target.flags.timeout_ms, 0U);
  said = incoming(R"({"type":3,"data":{"packet":{"data":["e"]},"opts":{"flags":{"timeout":1e300}}}})");
  ASSERT_TRUE(take_broadcast(said, broadcast));
  EXPECT_EQ(broadcast.target.flags.timeout_ms, 600'000U);
}

TEST(FamilyWire, DataOfAStreamIsTextOrBase64) {
  auto args = read_data(R"({"a":1})");
  ASSERT_TRUE(args);
  EXPECT_EQ((*args)[0], (boost::json::value{{"a", 1}}));
  args = read_data(
      "gqZwYWNrZXSCpHR5cGUCpGRhdGGSomV2xAMBAv+kb3B0c4Olcm9vbXOSpHJvb20qpmV4Y2VwdJGibm+"
      "lZmxhZ3OCqHZvbGF0aWxlw6hjb21wcm"
      "Vzc8I=");
  ASSERT_TRUE(args);
  EXPECT_THAT(args->binaries(), ElementsAre("\x01\x02\xff"));
  args = read_data("");
  ASSERT_TRUE(args);
  EXPECT_EQ((*args)[0], boost::json::object());
  for (const char* text : {"{", "[]", "kA==", "????", "{}x"}) EXPECT_FALSE(read_data(text)) << text;
}

}  // namespace
}  // namespace limpet::cluster::family
