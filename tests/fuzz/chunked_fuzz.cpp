// Chunked bodies: any split gives the same outcome, a plain decoder of the whole agrees, and what is encoded
// comes back.
#include <cassert>
#include <optional>
#include <string>

#include "proxy/wire/chunked.h"

using namespace limpet::wire;

namespace {

using State = ChunkReader::Step::State;

struct Outcome {
  State state = State::more;
  std::string payload;
  std::string trailers;
  std::size_t used = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view bytes, std::size_t piece) {
  ChunkReader reader;
  Outcome outcome;
  while (outcome.used < bytes.size() && outcome.state == State::more) {
    std::string_view in = bytes.substr(outcome.used, piece);
    while (!in.empty() && outcome.state == State::more) {
      const auto step = reader.next(in);
      assert(step.used > 0 || step.state != State::more);
      outcome.state = step.state;
      outcome.payload += step.data;
      outcome.used += step.used;
      in.remove_prefix(step.used);
    }
  }
  assert(reader.payload() == outcome.payload.size());
  outcome.trailers = reader.trailers();
  return outcome;
}

// The payload of a whole body as RFC 9112 spells it, without any limit; nothing if it is no such body.
std::optional<std::string> decode(std::string_view bytes) {
  std::string payload;
  for (;;) {
    const std::size_t end = bytes.find("\r\n");
    if (end == bytes.npos) return std::nullopt;
    const std::string line(bytes.substr(0, end));
    const std::size_t size = std::stoull(line, nullptr, 16);
    bytes.remove_prefix(end + 2);
    if (size == 0) return payload;
    if (bytes.size() < size + 2 || bytes.substr(size, 2) != "\r\n") return std::nullopt;
    payload += bytes.substr(0, size);
    bytes.remove_prefix(size + 2);
  }
}

std::string encode(std::string_view payload, std::size_t piece) {
  std::string body;
  for (; !payload.empty(); payload.remove_prefix(std::min(piece, payload.size()))) {
    const std::string_view part = payload.substr(0, piece);
    char size[20];
    body.append(size, write_chunk_size(part.size(), size)).append(part).append("\r\n");
  }
  return body + "0\r\n\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = 1 + data[0] % 32u;
  const Outcome whole = read(bytes, bytes.size() + 1);
  assert(read(bytes, 1) == whole && read(bytes, piece) == whole);
  if (whole.state == State::done) assert(decode(bytes.substr(0, whole.used)) == whole.payload);
  const Outcome again = read(encode(bytes, piece), 7);
  assert(again.state == State::done && again.payload == bytes && again.trailers.empty());
  return 0;
}
