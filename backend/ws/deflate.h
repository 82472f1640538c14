// permessage-deflate (RFC 7692): what is agreed with a client, and the two ends of zlib.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct z_stream_s;

namespace limpet::ws {

enum class Deflate : std::uint8_t {
  off,
  shared,     // no context takeover either way: a broadcast is compressed once
  dedicated,  // a window of its own each way: smaller messages, 300 KiB a connection once both are used
};

// What a connection has agreed on; Deflate::off: nothing.
struct Agreement {
  Deflate mode = Deflate::off;
  std::uint8_t window_bits = 15;  // of what we send
  bool we_keep_context = false;   // from one message to the next
  bool client_keeps_context = false;
};

// The first of a client's offers that `mode` can take, or an Agreement that says off. `offers`: the values of
// its Sec-WebSocket-Extensions fields, joined by ",".
Agreement negotiate(std::string_view offers, Deflate mode);
// The value of the answer's Sec-WebSocket-Extensions; empty: no such field.
std::string answer_of(const Agreement& agreement);

inline constexpr std::size_t kDeflateFrom =
    1024;  // bytes; a shorter message is not worth a window of its own

struct FreeDeflate {
  void operator()(z_stream_s* stream) const;
};
struct FreeInflate {
  void operator()(z_stream_s* stream) const;
};

class Deflater {
 public:
  // `out` is where messages are put; all that are used on one thread may share it.
  Deflater(std::vector<char>& out, int window_bits, bool keeps_context)
      : out_(out), window_bits_(window_bits), keeps_context_(keeps_context) {}
  // A message's body, compressed; good until `out` is used again. zlib's 268 KB are taken with the first one.
  std::string_view deflate(std::string_view body);
  bool keeps_context() const { return keeps_context_; }

  // Of this thread, without context: what all share.
  static Deflater& shared();

 private:
  std::unique_ptr<z_stream_s, FreeDeflate> stream_;
  std::vector<char>& out_;
  int window_bits_;
  bool keeps_context_;
};

class Inflater {
 public:
  Inflater(std::vector<char>& out, bool keeps_context) : out_(out), keeps_context_(keeps_context) {}
  enum class Result : std::uint8_t { whole, too_big, damaged };
  // At most `most` bytes; `body` is good until `out` is used again.
  Result inflate(std::string_view compressed, std::size_t most, std::string_view& body);

 private:
  Result run(std::string_view in, bool& ended, std::size_t most, std::size_t& size);

  std::unique_ptr<z_stream_s, FreeInflate> stream_;
  std::vector<char>& out_;
  bool keeps_context_;
};

}  // namespace limpet::ws
