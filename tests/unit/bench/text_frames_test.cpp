#include "tests/bench/load/socketio/text_frames.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace limpet::bench {
namespace {

using Got = TextReader::Got;

// What a server, which unmasks, or a client reads of `bytes` that come in pieces of `piece`.
std::vector<std::pair<Got, std::string>> read(std::string bytes, std::size_t piece) {
  std::vector<std::pair<Got, std::string>> all;
  FrameReader frames;
  TextReader reader;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::span<char> in(bytes.data() + at, std::min(piece, bytes.size() - at));
    std::string_view text;
    for (Got got; (got = reader.next(frames, in, text)) != Got::nothing;) all.emplace_back(got, text);
  }
  return all;
}

const std::string kLong(300, 'x');

TEST(TextFrames, MessagesComeWholeHoweverTheyAreCut) {
  std::string bytes;
  for (const std::string& text : {std::string("0{}"), std::string(), kLong, std::string("2")})
    append_frame(bytes, kText, text);
  const std::vector<std::pair<Got, std::string>> expected = {
      {Got::text, "0{}"}, {Got::text, ""}, {Got::text, kLong}, {Got::text, "2"}};
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece)
    EXPECT_EQ(read(bytes, piece), expected) << piece;
}

TEST(TextFrames, AClientsAreMaskedAndReadable) {
  const std::string bytes = masked_frame(kText, "42[\"echo\"]") + masked_frame(kText, kLong);
  EXPECT_EQ(bytes.find("echo"), bytes.npos);
  const std::vector<std::pair<Got, std::string>> expected = {{Got::text, "42[\"echo\"]"}, {Got::text, kLong}};
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece)
    EXPECT_EQ(read(bytes, piece), expected) << piece;
}

TEST(TextFrames, CloseAndWhatNoServerHereSendsAreTold) {
  std::string bytes;
  append_frame(bytes, kBinary, "b");
  append_frame(bytes, kPing, "");
  append_frame(bytes, kClose, "\x03\xe8");
  const std::vector<std::pair<Got, std::string>> expected = {
      {Got::strange, "b"}, {Got::strange, ""}, {Got::close, "\x03\xe8"}};
  EXPECT_EQ(read(bytes, 1), expected);
}

}  // namespace
}  // namespace limpet::bench
