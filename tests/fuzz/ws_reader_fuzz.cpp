// A client's frames, inflation included: any split of the same bytes gives the same messages and the same
// end; what is handed up keeps the limit and is UTF-8 where it is said to be; and what a plain reader of the
// whole makes of the bytes agrees. The input as a message, compressed or not, comes back as it was.
//
// First byte of the input: bit 0, permessage-deflate; bit 1, with context; the rest: the size of a piece.
#include <algorithm>
#include <cassert>
#include <string>
#include <vector>

#include "backend/ws/deflate.h"
#include "backend/ws/reader.h"

using namespace limpet;
using ws::Reader;

namespace {

constexpr std::size_t kMost = 3000;

struct Outcome {
  std::vector<std::string> events;
  bool operator==(const Outcome&) const = default;
};

std::string spell(const Reader::Event& event) {
  return std::to_string(static_cast<int>(event.what)) + (event.kind == ws::Kind::text ? "t" : "b") +
         std::to_string(event.code) + ":" + std::string(event.body);
}

bool ends(const Reader::Event& event) {
  return event.what == Reader::What::fault || event.what == Reader::What::close;
}

Outcome read(std::string bytes, std::size_t piece, bool deflate, bool keeps_context) {
  std::vector<char> inflated;
  ws::Inflater inflater(inflated, keeps_context);
  const ws::Rules rules{kMost, true, deflate ? &inflater : nullptr};
  Reader reader;
  Outcome outcome;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::span<char> in(bytes.data() + at, std::min(piece, bytes.size() - at));
    for (;;) {
      const Reader::Event event = reader.next(in, rules);
      if (event.what == Reader::What::more) break;
      if (event.what == Reader::What::message) {
        assert(event.body.size() <= kMost);
        assert(event.kind == ws::Kind::binary || wire::is_utf8(event.body));
      }
      outcome.events.push_back(spell(event));
      if (ends(event)) return outcome;
    }
    assert(in.empty());
  }
  return outcome;
}

// The messages of whole frames as RFC 6455 spells them, of which `read` has found no fault; without
// inflation.
std::vector<std::string> read_plainly(std::string_view bytes) {
  std::vector<std::string> messages;
  std::string body;
  while (bytes.size() >= 6) {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i]));
    };
    std::uint64_t length = byte(1) & 0x7f;
    std::size_t head = 2;
    if (length >= 126) {
      head = length == 126 ? 4 : 10;
      if (bytes.size() < head + 4) break;
      length = 0;
      for (std::size_t i = 2; i < head; ++i) length = length << 8 | byte(i);
    }
    if (bytes.size() - head - 4 < length) break;
    std::string payload(bytes.substr(head + 4, length));
    for (std::size_t i = 0; i < length; ++i) payload[i] ^= bytes[head + i % 4];
    if ((byte(0) & 0x08) == 0) {
      body += payload;
      if (byte(0) & 0x80) messages.push_back(std::exchange(body, {}));
    }
    bytes.remove_prefix(head + 4 + length);
  }
  return messages;
}

void check_round_trip(const std::string& body, std::size_t piece, bool deflate, bool keeps_context) {
  std::vector<char> out;
  ws::Deflater deflater(out, 15, keeps_context);
  std::string bytes;
  for (int i = 0; i < 2; ++i) {
    std::string payload(deflate ? deflater.deflate(body) : body);
    if (payload.size() > kMost) return;  // noise grows
    char head[wire::kMostFrameHead];
    const std::uint8_t first = 0x82 | (deflate ? wire::kRsv1 : 0);
    bytes.append(head, wire::write_frame_head(head, first, payload.size(), 0x9c5a03f1));
    wire::unmask(payload, 0x9c5a03f1);
    bytes += payload;
  }
  const std::string expected = "1b0:" + body;
  assert(read(bytes, piece, deflate, keeps_context).events == std::vector({expected, expected}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool deflate = data[0] & 1, keeps_context = data[0] & 2;
  const std::size_t piece = 1 + (data[0] >> 2);
  const Outcome whole = read(bytes, bytes.size() + 1, deflate, keeps_context);
  assert(read(bytes, 1, deflate, keeps_context) == whole);
  assert(read(bytes, piece, deflate, keeps_context) == whole);
  if (bytes.size() <= kMost) check_round_trip(bytes, piece, deflate, keeps_context);
  if (deflate) return 0;
  const std::vector<std::string> plain = read_plainly(bytes);
  std::size_t found = 0;
  for (const std::string& event : whole.events) {
    if (event[0] != '1') continue;  // a message
    assert(found < plain.size() && event.substr(4) == plain[found]);
    ++found;
  }
  return 0;
}
