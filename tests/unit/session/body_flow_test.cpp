#include "proxy/session/body_flow.h"

#include <gtest/gtest.h>

#include <random>

namespace limpet::session {
namespace {

using wire::Body;
using wire::BodyKind;

struct Passed {
  std::string out;
  std::size_t used = 0;
  BodyFlow::State state;
  std::string sample;
  void add(std::string_view bytes) { sample += bytes; }
};

// Feeds `in` in pieces cut by `cut`, and tells what came out.
template <class Cut>
Passed pass(BodyFlow flow, std::string_view in, Cut cut) {
  Passed result;
  while (flow.state() == BodyFlow::State::more && result.used < in.size()) {
    const std::string_view piece = in.substr(result.used, cut());
    std::string framed;
    std::string_view raw;
    const std::size_t used = flow.feed(piece, framed, raw, result);
    result.out += framed;
    result.out += raw;
    result.used += used;
    if (used < piece.size()) break;
  }
  result.state = flow.state();
  return result;
}
Passed pass_whole(BodyFlow flow, std::string_view in) {
  return pass(std::move(flow), in, [&] { return in.size(); });
}

// What a strict reader of our own chunks finds in them.
std::string unchunk(std::string_view in, std::string* trailers = nullptr) {
  wire::ChunkReader reader;
  std::string payload;
  while (!in.empty()) {
    const auto step = reader.next(in);
    payload += step.data;
    in.remove_prefix(step.used);
    if (step.state == wire::ChunkReader::Step::State::done) {
      if (trailers) *trailers = reader.trailers();
      EXPECT_TRUE(in.empty());
      return payload;
    }
    if (step.state == wire::ChunkReader::Step::State::refused) break;
  }
  ADD_FAILURE() << "not one whole chunked body";
  return payload;
}

TEST(BodyFlow, NoBodyIsDoneAtOnce) {
  EXPECT_EQ(BodyFlow().state(), BodyFlow::State::done);
  EXPECT_EQ(BodyFlow(Body{BodyKind::none, 0}, false, 10).state(), BodyFlow::State::done);
  EXPECT_EQ(BodyFlow(Body{BodyKind::length, 0}, false, 10).state(), BodyFlow::State::done);
}

TEST(BodyFlow, LengthPassesAsItIsAndStopsThere) {
  const Passed got = pass_whole(BodyFlow({BodyKind::length, 5}, false, 100), "helloGET / HTTP/1.1");
  EXPECT_EQ(got.out, "hello");
  EXPECT_EQ(got.used, 5u);
  EXPECT_EQ(got.state, BodyFlow::State::done);
}

TEST(BodyFlow, ChunksComeOutAsOurOwn) {
  const Passed got =
      pass_whole(BodyFlow({BodyKind::chunked, 0}, true, 100),
                 "0003;name=\"value\"\r\nabc\r\n2\r\nde\r\n000\r\nX-Sum: 5\r\nContent-Length: 9\r\n\r\nNEXT");
  std::string trailers;
  EXPECT_EQ(unchunk(got.out, &trailers), "abcde");
  EXPECT_EQ(got.out.find("name"), std::string::npos) << "extensions end here";
  EXPECT_EQ(trailers, "X-Sum: 5\r\n");
  EXPECT_EQ(got.sample, "abcde");
  EXPECT_EQ(got.state, BodyFlow::State::done);
}

TEST(BodyFlow, ChunksAreDecodedForAnOldClient) {
  EXPECT_EQ(pass_whole(BodyFlow({BodyKind::chunked, 0}, false, 100), "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").out,
            "abcde");
}

TEST(BodyFlow, BodyUntilTheEndBecomesChunks) {
  BodyFlow flow({BodyKind::until_close, 0}, true, ~0ull);
  std::string out;
  std::string_view raw;
  flow.feed("hello", out, raw);
  EXPECT_EQ(flow.state(), BodyFlow::State::more);
  EXPECT_TRUE(flow.end(out));
  EXPECT_EQ(unchunk(out), "hello");
}

TEST(BodyFlow, EarlyEndIsToldApart) {
  std::string out;
  std::string_view raw;
  BodyFlow length({BodyKind::length, 5}, false, 100);
  length.feed("hell", out, raw);
  EXPECT_FALSE(length.end(out));
  BodyFlow chunked({BodyKind::chunked, 0}, true, 100);
  chunked.feed("5\r\nhello\r\n", out, raw);
  EXPECT_FALSE(chunked.end(out));
}

TEST(BodyFlow, BodyOverTheBoundIsRefusedAndNoByteOverItPasses) {
  const Passed got =
      pass_whole(BodyFlow({BodyKind::chunked, 0}, true, 4), "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
  EXPECT_EQ(got.state, BodyFlow::State::refused);
  EXPECT_EQ(got.out.find("def"), std::string::npos);
}

TEST(BodyFlow, NothingPassesFromAFaultOn) {
  const Passed got =
      pass_whole(BodyFlow({BodyKind::chunked, 0}, true, 100), "3\r\nabc\r\n-1\r\nX\r\n0\r\n\r\n");
  EXPECT_EQ(got.state, BodyFlow::State::refused);
  EXPECT_EQ(got.out, "3\r\nabc\r\n");
}

TEST(BodyFlow, AnySplitOfTheBytesGivesTheSamePayload) {
  std::mt19937 random(5);
  for (int round = 0; round < 500; ++round) {
    std::string payload, body;
    for (int chunk = 0; chunk < 6; ++chunk) {
      const std::string data(1 + random() % 300, static_cast<char>('a' + chunk));
      char size[20];
      body.append(size, wire::write_chunk_size(data.size(), size));
      body += data + "\r\n";
      payload += data;
    }
    body += "0\r\n\r\n";
    const Passed got = pass(BodyFlow({BodyKind::chunked, 0}, true, 1 << 20), body + "REST",
                            [&] { return 1 + random() % 40; });
    EXPECT_EQ(got.used, body.size());
    EXPECT_EQ(unchunk(got.out), payload);
  }
}

}  // namespace
}  // namespace limpet::session
