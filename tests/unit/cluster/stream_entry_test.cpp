#include "backend/cluster/stream_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cluster/fake_host.h"

namespace limpet::cluster {
namespace {

using family::Type;

TEST(StreamEntry, IsReadAsNodeJsWritesIt) {
  auto said = read_message({"1-1", "0123456789abcdef", "/", "4",
                            R"({"opts":{"rooms":["r"],"except":[],"flags":{}},"rooms":["j1",7]})"});
  ASSERT_TRUE(said);
  EXPECT_EQ(said->type, Type::join);
  EXPECT_EQ(said->uid, "0123456789abcdef");
  EXPECT_EQ(said->nsp, "/");
  said = read_message({"1-1", "x", "/", "2", ""});  // a heartbeat of an older release
  ASSERT_TRUE(said);
  EXPECT_EQ(said->type, Type::heartbeat);
}

TEST(StreamEntry, WhatIsNoneIsRefused) {
  for (const char* type : {"", "0", "-3", "3x", "three", "256", "3.0"})
    EXPECT_FALSE(read_message({"1-1", "x", "/", type, "{}"})) << type;
  for (const char* data : {"{", "[1]", "\x01\x02"})
    EXPECT_FALSE(read_message({"1-1", "x", "/", "3", data})) << data;
}

TEST(StreamEntry, BytesAreWrittenInBase64) {
  codec::Args args;
  args.add(codec::Binary{"\x01\x02\xff"});
  const adapter::Event event{"ev", args};
  adapter::Target target{{"room",
                          "\xff"
                          "42"},
                         {"no"},
                         {}};
  target.flags.volatile_ = true;
  target.flags.compress = false;
  const family::Outgoing what{.type = Type::broadcast, .target = &target, .event = &event};
  EntryWriter writer(false);
  EXPECT_EQ(writer.data_of(what),
            "gqZwYWNrZXSCpHR5cGUCpGRhdGGSomV2xAMBAv+kb3B0c4Olcm9vbXOSpHJvb20qpmV4Y2VwdJGibm+"
            "lZmxhZ3OCqHZvbGF0aWxlw6hjb21w"
            "cmVzc8I=");
  EntryWriter plain(true);
  EXPECT_EQ(
      plain.data_of(what),
      R"({"packet":{"type":2,"data":["ev",{"type":"Buffer","data":[1,2,255]}]},"opts":{"rooms":["room",42],)"
      R"("except":["no"],"flags":{"volatile":true,"compress":false}}})");
}

TEST(StreamEntry, WithoutBytesItIsText) {
  const codec::Args args{1, "x", {{"a", {nullptr, 1.5}}}};
  const adapter::Event event{"ev", args};
  const adapter::Target target;
  EntryWriter writer(false);
  EXPECT_EQ(
      writer.data_of({.type = Type::broadcast, .target = &target, .event = &event}),
      R"({"packet":{"type":2,"data":["ev",1,"x",{"a":[null,1.5]}]},"opts":{"rooms":[],"except":[],"flags":{}}})");
}

}  // namespace
}  // namespace limpet::cluster
