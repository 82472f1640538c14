// ChunkReader: the chunked transfer coding, decoded strictly (RFC 9112, 7.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/wire/head.h"

namespace limpet::wire {

// Fed the raw bytes of a body in any pieces. Bytes after a fault are never given out.
//   sizes: hex digits only, at most 16, no sign, no prefix, no space; extensions: at most 256 bytes over the
//   whole body, no control byte; every line ends in CRLF; trailers: at most 8 KiB and 64 fields, clean as a
//   head's.
class ChunkReader {
 public:
  // `most`: a chunk of more is refused at its size line.
  explicit ChunkReader(std::uint64_t most = INT64_MAX) : most_(most) {}

  struct Step {
    std::size_t used = 0;   // bytes of `in` consumed
    std::string_view data;  // payload found, a part of `in`; may be empty
    enum class State : std::uint8_t { more, done, refused } state = State::more;
  };
  // Consumes up to the end of one run of payload; call again with the rest until used == in.size() or the
  // state is not `more`. At `done`, bytes after `used` belong to the next message.
  Step next(std::string_view in);
  Fault fault() const { return fault_; }
  // Trailer fields that may be passed on, as "name: value\r\n" each (framing, routing and authentication
  // fields are dropped); complete at `done`.
  const std::string& trailers() const { return trailers_; }
  std::uint64_t payload() const { return payload_; }  // bytes of data given out so far

 private:
  enum class At : std::uint8_t;
  std::optional<Fault> framing_byte(char c);
  std::optional<Fault> in_size(char c);
  std::optional<Fault> in_trailers(char c);
  void keep_trailer();

  std::uint64_t most_;
  std::uint64_t left_ = 0;  // of the chunk in progress
  std::uint64_t payload_ = 0;
  std::string line_;  // a trailer line in progress
  std::string trailers_;
  std::uint16_t extension_ = 0;  // bytes so far, over the whole body
  std::uint16_t trailer_bytes_ = 0;
  std::uint8_t digits_ = 0;
  std::uint8_t trailer_fields_ = 0;
  At at_{};
  Fault fault_{};
};

// "5\r\n": the line before a chunk of `size` bytes (size > 0); at most 18 bytes into `out`, its length
// returned.
std::size_t write_chunk_size(std::uint64_t size, char (&out)[20]);

}  // namespace limpet::wire
