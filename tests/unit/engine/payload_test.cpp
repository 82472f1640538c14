// Payloads of both revisions. What is expected was seen of engine.io.
#include "backend/engine/payload.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "backend/codec/base64.h"

namespace limpet::engine {
namespace {

using namespace std::string_literals;
using Step = PayloadReader::Step;

// "message text a; message binary 3 bytes; bad"
std::string read(Form form, std::string_view body) {
  constexpr std::string_view kTypes[] = {"open",    "close",   "ping", "pong",
                                         "message", "upgrade", "noop", "unknown"};
  PayloadReader reader(form, body);
  std::string all;
  for (Packet packet; true;) {
    const Step step = reader.next(packet);
    if (step == Step::end) return all;
    if (!all.empty()) all += "; ";
    if (step == Step::bad) {
      EXPECT_EQ(reader.next(packet), Step::end);
      return all + "bad";
    }
    all += kTypes[static_cast<std::size_t>(packet.type)];
    if (packet.kind == ws::Kind::binary) all += " bytes";
    if (!packet.data.empty()) all += ' ' + std::string(packet.data);
  }
}

std::string write(Form form, const std::vector<ws::MessageRef>& packets) {
  std::string out;
  append_payload(out, form, packets);
  return out;
}

ws::MessageRef text(std::string_view packet) {
  return ws::Message::make(ws::Kind::text, {packet});
}
ws::MessageRef binary(std::string_view bytes) {
  return ws::Message::make(ws::Kind::binary, {bytes});
}

TEST(Separated, Packets) {
  EXPECT_EQ(read(Form::separated, "4hello"), "message hello");
  EXPECT_EQ(read(Form::separated, "4a\x1e\x32\x1e\x33probe\x1e\x31\x1e\x35\x1e\x36\x1e\x30{}"),
            "message a; ping; pong probe; close; upgrade; noop; open {}");
  EXPECT_EQ(read(Form::separated, "4"), "message");
  EXPECT_EQ(read(Form::separated,
                 "bYWJj\x1e"
                 "4x"),
            "message bytes abc; message x");
  EXPECT_EQ(read(Form::separated, "b"), "message bytes");
}

TEST(Separated, WhatIsNoneEndsIt) {
  EXPECT_EQ(read(Form::separated, ""), "bad");
  EXPECT_EQ(read(Form::separated, "7"), "bad");
  EXPECT_EQ(read(Form::separated,
                 "4a\x1e"
                 "abc\x1e"
                 "4b"),
            "message a; bad");
  EXPECT_EQ(read(Form::separated, "4a\x1e"), "message a; bad");
  EXPECT_EQ(read(Form::separated,
                 "\x1e"
                 "4a"),
            "bad");
}

TEST(Separated, Written) {
  EXPECT_EQ(write(Form::separated, {text("4hello"), binary("\x01\x02\x03\x04"), text("2")}),
            "4hello\x1e"
            "bAQIDBA==\x1e"
            "2");
  EXPECT_EQ(write(Form::separated, {}), "");
}

TEST(Counted, Packets) {
  EXPECT_EQ(read(Form::counted, "6:4hello2:4€1:2"), "message hello; message €; ping");
  EXPECT_EQ(read(Form::counted, "3:4𝄞"), "message 𝄞");
  EXPECT_EQ(read(Form::counted, "02:4a"), "message a");
  EXPECT_EQ(read(Form::counted, "6:b4YWJj"), "message bytes abc");
  EXPECT_EQ(read(Form::counted, "1:b"), "unknown bytes");
  EXPECT_EQ(read(Form::counted, "0:2:4a0:"), "message a");
  EXPECT_EQ(read(Form::counted, "0:"), "");
}

TEST(Counted, WhatIsNoneEndsIt) {
  for (const char* body : {"", ":", "4a", "a:4a", "-1:4a", "1", "12", "3:4a", "2:4𝄞", "1:7", "9999999999:4a",
                           "1.0:4", " 2:4a"}) {
    EXPECT_EQ(read(Form::counted, body), "bad") << body;
  }
  EXPECT_EQ(read(Form::counted, "2:4ax"), "message a; bad");
  EXPECT_EQ(read(Form::counted, "2:4a1:9"), "message a; bad");
}

TEST(Counted, Written) {
  EXPECT_EQ(write(Form::counted, {text("4€"), binary("\x01\x02\x03\x04"), text("2")}),
            "2:4€10:b4AQIDBA==1:2");
}

TEST(Bytes, Packets) {
  EXPECT_EQ(read(Form::bytes,
                 "\0\2\xff"
                 "4a\1\4\xff\4abc"s),
            "message a; message bytes abc");
  EXPECT_EQ(read(Form::bytes,
                 "\0\1\4\xff"
                 "4€aaaaaaaaaa"s),
            "message €aaaaaaaaaa");  // 14 bytes
  EXPECT_EQ(read(Form::bytes, "\1\1\xff\2"s), "ping bytes");
  EXPECT_EQ(read(Form::bytes, "\1\1\xff\x09"s), "unknown bytes");
  EXPECT_EQ(read(Form::bytes, "\1\0\xff"s), "unknown bytes");
  EXPECT_EQ(read(Form::bytes, "\1\x09\xff\4a"s), "message bytes a");  // cut: what there is, as the original
  EXPECT_EQ(read(Form::bytes, ""), "");
}

TEST(Bytes, WhatIsNoneEndsIt) {
  for (const std::string& body : {"\0"s, "\0\2"s, "\0\2\2\2"s, "\0\xff"s,
                                  "\0\x0a\xff"
                                  "4a"s,
                                  "\0\2\xff"
                                  "9a"s,
                                  "\0\2\xff"
                                  "4\xff"s,
                                  "\0\0\xff"s, std::string(20, '\1')}) {
    EXPECT_EQ(read(Form::bytes, body), "bad") << testing::PrintToString(body);
  }
}

TEST(Bytes, Written) {
  EXPECT_EQ(write(Form::bytes, {text("4€aaaaaaaa"), binary("abc")}),
            "\0\1\2\xff"
            "4€aaaaaaaa\1\4\xff\4abc"s);
}

TEST(Base64, LenientAsNode) {
  const auto decoded = [](std::string_view text) {
    std::string out = "left over";
    codec::decode_base64(text, out);
    return out;
  };
  EXPECT_EQ(decoded("AQI+/w=="), "\x01\x02\x3e\xff");
  EXPECT_EQ(decoded("AQI-_w"), "\x01\x02\x3e\xff");
  EXPECT_EQ(decoded("A Q\nI*D"), "\x01\x02\x03");
  EXPECT_EQ(decoded("AQ==AQ=="), "\x01");
  EXPECT_EQ(decoded("A"), "");
  EXPECT_EQ(decoded("===="), "");
  EXPECT_EQ(decoded(""), "");
}

TEST(Base64, RoundTrip) {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string bytes, text, again;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 37 + size);
    codec::append_base64(text, bytes);
    EXPECT_EQ(text.size(), codec::base64_size(size));
    codec::decode_base64(text, again);
    EXPECT_EQ(again, bytes);
  }
}

}  // namespace
}  // namespace limpet::engine
