// WebSocket frames on the wire (RFC 6455, 5): heads both ways, masks, UTF-8 in pieces, close codes. Pure, and
// without state but for Utf8's three bytes: who keeps what between two reads is up to whoever calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace limpet::wire {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
constexpr bool is_control(Opcode opcode) {
  return static_cast<std::uint8_t>(opcode) >= 8;
}

inline constexpr std::size_t kMostFrameHead = 14;
inline constexpr std::size_t kMostControlBody = 125;
inline constexpr std::uint8_t kFin = 0x80, kRsv1 = 0x40, kRsv2 = 0x20, kRsv3 = 0x10;

struct FrameHead {
  std::uint64_t length = 0;  // of the payload
  std::uint32_t key = 0;     // as its bytes lie in memory
  Opcode opcode = Opcode::continuation;
  std::uint8_t rsv = 0;  // the kRsv bits that are set: what they mean is an extension's
  bool fin = false;
  bool masked = false;
};

// What the first bytes of a frame are. `refused`: a reserved opcode, a control frame that is fragmented or
// over 125 bytes, a length of more than 63 bits or not in its shortest form.
enum class HeadStep : std::uint8_t { more, whole, refused };
struct HeadResult {
  HeadStep step = HeadStep::more;
  std::uint8_t size = 0;  // bytes of the head, if whole; of at least that much, if more
};
HeadResult read_frame_head(std::string_view bytes, FrameHead& head);

// Writes the head of a frame (`first`: FIN, RSV bits and opcode) and returns its size. A masked one gets
// `key`.
std::size_t write_frame_head(char* out, std::uint8_t first, std::uint64_t length);
std::size_t write_frame_head(char* out, std::uint8_t first, std::uint64_t length, std::uint32_t key);

// Masks or unmasks in place; `offset` is where in the frame's payload `bytes` begin.
void unmask(std::span<char> bytes, std::uint32_t key, std::uint64_t offset = 0);

// UTF-8 that comes in pieces (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF).
class Utf8 {
 public:
  bool take(std::string_view piece);            // false: no continuation could make it valid
  bool whole() const { return missing_ == 0; }  // no character is cut
 private:
  bool step(std::uint8_t byte);
  std::uint8_t missing_ = 0;               // bytes of the character that is cut
  std::uint8_t low_ = 0x80, high_ = 0xbf;  // between which its next byte lies
};
inline bool is_utf8(std::string_view text) {
  Utf8 check;
  return check.take(text) && check.whole();
}

// True if a Close frame may carry the code (7.4; 1012 to 1014 by IANA's registry).
constexpr bool valid_close_code(unsigned code) {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace limpet::wire
