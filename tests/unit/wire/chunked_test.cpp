// ChunkReader: what is refused, what comes out, and that no split of the bytes matters.
#include "proxy/wire/chunked.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/wire/heads.h"

namespace limpet::wire {
namespace {

using namespace std::string_literals;
using State = ChunkReader::Step::State;

struct Outcome {
  State state = State::more;
  std::string payload;
  std::string trailers;
  std::size_t used = 0;  // of all that was fed
  Fault fault{};
  bool operator==(const Outcome&) const = default;
};
void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << (outcome.state == State::more   ? "more"
           : outcome.state == State::done ? "done"
                                          : "refused")
       << " after " << outcome.used << ", \"" << outcome.payload << "\", trailers \"" << outcome.trailers
       << "\"";
}

Outcome read_in_pieces(std::string_view bytes, std::size_t piece) {
  ChunkReader reader;
  Outcome outcome;
  for (std::size_t at = 0; at < bytes.size() && outcome.state == State::more; at += piece) {
    std::string_view in = bytes.substr(at, piece);
    while (!in.empty() && outcome.state == State::more) {
      const auto step = reader.next(in);
      outcome.payload += step.data;
      outcome.used += step.used;
      outcome.state = step.state;
      in.remove_prefix(step.used);
    }
  }
  EXPECT_EQ(reader.payload(), outcome.payload.size());
  outcome.trailers = reader.trailers();
  if (outcome.state == State::refused) outcome.fault = reader.fault();
  return outcome;
}

Outcome read(std::string_view bytes) {
  const Outcome whole = read_in_pieces(bytes, bytes.size() + 1);
  for (const std::size_t piece : {1, 2, 3, 5, 16}) {
    EXPECT_EQ(read_in_pieces(bytes, piece), whole) << "in pieces of " << piece << ": " << bytes;
  }
  return whole;
}

Fault refusal(std::string_view bytes) {
  const Outcome outcome = read(bytes);
  EXPECT_EQ(outcome.state, State::refused) << bytes;
  return outcome.fault;
}

TEST(Chunks, PayloadComesOutAndTheRestBelongsToTheNextMessage) {
  const Outcome outcome = read("5\r\nhello\r\n006\r\n world\r\n0\r\n\r\nGET /");
  EXPECT_EQ(outcome.state, State::done);
  EXPECT_EQ(outcome.payload, "hello world");
  EXPECT_EQ(outcome.used, 28u);
}

TEST(Chunks, EmptyBodyAndBinaryPayload) {
  EXPECT_EQ(read("0\r\n\r\n").state, State::done);
  EXPECT_EQ(read("000\r\n\r\n").payload, "");
  EXPECT_EQ(read("4\r\n\r\n\0\xff\r\n0\r\n\r\n"s).payload, "\r\n\0\xff"s);
  EXPECT_EQ(read("aF\r\n" + std::string(0xaf, 'x') + "\r\n0\r\n\r\n").payload.size(), 0xafu);
}

TEST(Chunks, EveryProperPrefixIsOnlyIncomplete) {
  const std::string body = "3;a=b\r\nabc\r\n0\r\nX-A: b\r\n\r\n";
  for (std::size_t n = 0; n < body.size(); ++n) EXPECT_EQ(read(body.substr(0, n)).state, State::more) << n;
  EXPECT_EQ(read(body).state, State::done);
}

TEST(Chunks, SizeIsHexDigitsAlone) {
  for (const char* line : {"+5", "-5", " 5", "5 ", "5\t", "0x5", "x", "", "5 5", "\"5\"", "5,", "g"}) {
    EXPECT_EQ(refusal(line + "\r\nhello\r\n0\r\n\r\n"s), Fault::bad_chunk) << line;
  }
  EXPECT_EQ(refusal(";a\r\n"), Fault::bad_chunk);
}

TEST(Chunks, SizeHasABound) {
  EXPECT_EQ(read("000000000000000f\r\n").state, State::more);
  EXPECT_EQ(refusal("0000000000000000f"), Fault::bad_chunk);
  EXPECT_EQ(read("7fffffffffffffff\r\n").state, State::more);
  EXPECT_EQ(refusal("8000000000000000"), Fault::bad_chunk);
  EXPECT_EQ(refusal("ffffffffffffffff"), Fault::bad_chunk);
  EXPECT_EQ(refusal("10000000000000000"), Fault::bad_chunk);
}

TEST(Chunks, EveryLineEndsInCrLf) {
  EXPECT_EQ(refusal("5\nhello"), Fault::bad_chunk);
  EXPECT_EQ(refusal("5\rhello"), Fault::bad_chunk);
  EXPECT_EQ(refusal("5;a\nhello"), Fault::bad_chunk);
  EXPECT_EQ(refusal("5;a\rb\r\nhello"), Fault::bad_chunk);
  EXPECT_EQ(refusal("5\r\nhello\n"), Fault::bad_chunk);
  EXPECT_EQ(refusal("5\r\nhello\rX"), Fault::bad_chunk);
  EXPECT_EQ(refusal("5\r\nhelloX"), Fault::bad_chunk);
  EXPECT_EQ(refusal("0\r\n\n"), Fault::bad_trailer);
  EXPECT_EQ(refusal("0\r\n\rX"), Fault::bad_trailer);
}

TEST(Chunks, NothingComesOutFromTheFaultOn) {
  EXPECT_EQ(read("5\r\nhelloXX3\r\nabc\r\n").payload, "hello");
  ChunkReader reader;
  EXPECT_EQ(reader.next("z").state, State::refused);
  const auto again = reader.next("1\r\na");
  EXPECT_EQ(again.state, State::refused);
  EXPECT_EQ(again.used, 0u);
  EXPECT_EQ(again.data, "");
}

TEST(Chunks, AfterTheEndNothingIsTaken) {
  ChunkReader reader;
  EXPECT_EQ(reader.next("0\r\n\r\n").state, State::done);
  const auto after = reader.next("1\r\na");
  EXPECT_EQ(after.state, State::done);
  EXPECT_EQ(after.used, 0u);
}

TEST(ChunkExtensions, PassOverCleanOnes) {
  EXPECT_EQ(read("1;a\r\nx\r\n1; b=\"c d\" ;e\r\ny\r\n0;z\r\n\r\n").payload, "xy");
}

TEST(ChunkExtensions, HaveABoundOverTheWholeBody) {
  const std::string half = "1;" + std::string(127, 'e') + "\r\nx\r\n";
  EXPECT_EQ(read(half + half).state, State::more);
  EXPECT_EQ(refusal(half + half + "1;"), Fault::bad_chunk);
  EXPECT_EQ(refusal("1;" + std::string(256, 'e')), Fault::bad_chunk);
}

TEST(ChunkExtensions, HoldNoControlByte) {
  for (const char* bytes : {"\t", "\x01", "\x7f", "\x0b"}) {
    EXPECT_EQ(refusal("1;a"s + bytes), Fault::bad_chunk);
  }
  EXPECT_EQ(refusal("1;a\0"s), Fault::bad_chunk);
}

TEST(Trailers, OnesThatMayPassAreKept) {
  EXPECT_EQ(read("0\r\nX-Checksum:  abc \r\ngrpc-status:0\r\nEmpty:\r\n\r\n").trailers,
            "X-Checksum: abc\r\ngrpc-status: 0\r\nEmpty: \r\n");
}

TEST(Trailers, ForbiddenOnesAreDropped) {
  for (const char* name : {"Content-Length",
                           "Transfer-Encoding",
                           "Trailer",
                           "Host",
                           "Connection",
                           "Keep-Alive",
                           "TE",
                           "Upgrade",
                           "Authorization",
                           "Proxy-Authorization",
                           "Cookie",
                           "Set-Cookie",
                           "Content-Encoding",
                           "content-type",
                           "Content-Range",
                           "X-Forwarded-For",
                           "Forwarded",
                           "X-Real-IP",
                           "X-Forwarded-Anything",
                           "x_forwarded_for",
                           "If-Match",
                           "Cache-Control",
                           "Expect",
                           "Max-Forwards",
                           "WWW-Authenticate",
                           "Location",
                           "Range",
                           "Sec-WebSocket-Key",
                           "Sec-Fetch-Site",
                           "Origin",
                           "Date",
                           "Access-Control-Allow-Origin"}) {
    const Outcome outcome = read("0\r\n"s + name + ": 1\r\nX-Ok: 1\r\n\r\n");
    EXPECT_EQ(outcome.state, State::done) << name;
    EXPECT_EQ(outcome.trailers, "X-Ok: 1\r\n") << name;
  }
}

TEST(Trailers, MalformedOnesAreRefused) {
  for (const char* line : {" folded: a", "\tfolded: a", "a b: c", "a : b", ": b", "nocolon", "a: \x01",
                           "a: \x7f", "a: b\rc", "a: b\nc: d", "\x80: a"}) {
    EXPECT_EQ(refusal("0\r\n"s + line + "\r\n\r\n"), Fault::bad_trailer) << line;
  }
}

TEST(Trailers, HaveBounds) {
  std::string many = "0\r\n";
  for (int i = 0; i < 64; ++i) many += "a:\r\n";
  EXPECT_EQ(read(many + "\r\n").state, State::done);
  EXPECT_EQ(refusal(many + "a"), Fault::bad_trailer);
  const auto trailer = [](std::size_t size) { return "0\r\na: " + std::string(size, 'x') + "\r\n\r\n"; };
  EXPECT_EQ(read(trailer(8 * 1024 - 7)).state, State::done);
  EXPECT_EQ(refusal(trailer(8 * 1024 - 6)), Fault::bad_trailer);
  EXPECT_EQ(refusal("0\r\n" + std::string(9000, 'x')), Fault::bad_trailer);
}

TEST(ChunkSize, IsWrittenInHex) {
  char out[20];
  const auto written = [&](std::uint64_t size) { return std::string(out, write_chunk_size(size, out)); };
  EXPECT_EQ(written(5), "5\r\n");
  EXPECT_EQ(written(0x10000), "10000\r\n");
  EXPECT_EQ(written(UINT64_MAX), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace limpet::wire
