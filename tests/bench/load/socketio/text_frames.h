// Text frames: short WebSocket text messages, whole: built by servers, built masked by clients, and read.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "tests/bench/load/frames.h"

namespace limpet::bench {

// A mask like any other, so that servers have to unmask.
constexpr char kMask[4] = {0x37, static_cast<char>(0xfa), 0x21, 0x3d};

inline void append_frame(std::string& out, std::uint8_t opcode, std::string_view text) {
  char head[kMostFrameHead];
  out.append(head, write_frame_head(head, kFinal | opcode, text.size(), false));
  out.append(text);
}

inline std::string masked_frame(std::uint8_t opcode, std::string_view text) {
  char head[kMostFrameHead];
  const std::size_t used = write_frame_head(head, kFinal | opcode, text.size(), true);
  std::memcpy(head + used - sizeof kMask, kMask, sizeof kMask);
  std::string frame(head, used);
  for (std::size_t i = 0; i < text.size(); ++i) frame += static_cast<char>(text[i] ^ kMask[i & 3]);
  return frame;
}

// Takes whole messages off what was received; an unfinished one is kept until its rest comes.
class TextReader {
 public:
  enum class Got { nothing, text, close, strange };

  // The view is valid until the next call, and as long as `in` was.
  Got next(FrameReader& frames, std::span<char>& in, std::string_view& text) {
    FrameReader::Slice slice;
    while (frames.next(in, slice)) {
      const std::string_view piece(slice.payload.data(), slice.payload.size());
      if (slice.first && slice.last) return kind(slice, text = piece);
      if (slice.first) kept_.clear();
      kept_.append(piece);
      if (slice.last) return kind(slice, text = kept_);
    }
    return Got::nothing;
  }

 private:
  static Got kind(const FrameReader::Slice& slice, std::string_view) {
    if (slice.first_byte == (kFinal | kText)) return Got::text;
    return slice.opcode() == kClose ? Got::close : Got::strange;
  }

  std::string kept_;
};

}  // namespace limpet::bench
