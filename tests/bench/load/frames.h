// Frames: WebSocket frames as the load tool needs them: heads written, any bytes read.
//
// Written frames of a client have a mask of four zero bytes: valid, and the payload is what it was.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace limpet::bench {

enum : std::uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };
constexpr std::size_t kMostFrameHead = 14;
constexpr std::uint8_t kFinal = 0x80;

// Writes a frame's head to `out` (kMostFrameHead bytes of room) and returns its length.
inline std::size_t write_frame_head(char* out, std::uint8_t first_byte, std::uint64_t length, bool masked) {
  const auto mask_bit = static_cast<std::uint8_t>(masked ? 0x80 : 0);
  std::size_t used = 2;
  out[0] = static_cast<char>(first_byte);
  int extra = 0;
  if (length < 126) {
    out[1] = static_cast<char>(mask_bit | length);
  } else {
    extra = length <= 0xffff ? 2 : 8;
    out[1] = static_cast<char>(mask_bit | (extra == 2 ? 126 : 127));
  }
  for (int i = extra - 1; i >= 0; --i) out[used++] = static_cast<char>(length >> (8 * i));
  if (masked) {
    std::memset(out + used, 0, 4);
    used += 4;
  }
  return used;
}

// Cuts what was received into frames. A frame's payload comes in slices as it arrives: nothing is kept but an
// unfinished head. Each frame gives one slice at least, an empty one only if the payload is empty; the
// payload is unmasked in place.
class FrameReader {
 public:
  struct Slice {
    std::uint8_t first_byte;  // of the frame: FIN and opcode
    bool first, last;
    std::uint64_t length;  // of the whole payload
    std::span<char> payload;
    std::uint8_t opcode() const { return first_byte & 0x0f; }
  };

  // Takes the next slice off `in`; false when more bytes are needed, and then `in` is empty.
  bool next(std::span<char>& in, Slice& out) {
    if (!in_frame_) {
      if (!take_head(in)) return false;
      in_frame_ = true;
    }
    if (left_ > 0 && in.empty()) return false;
    const bool first = left_ == length_;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
    out = {static_cast<std::uint8_t>(head_[0]), first, left_ == count, length_, in.first(count)};
    if (masked_) unmask(out.payload);
    in = in.subspan(count);
    left_ -= count;
    in_frame_ = left_ > 0;
    return true;
  }

 private:
  std::size_t head_size() const {
    if (have_ < 2) return 2;
    const auto second = static_cast<std::uint8_t>(head_[1]);
    const std::size_t extra = (second & 0x7f) == 126 ? 2 : (second & 0x7f) == 127 ? 8 : 0;
    return 2 + extra + (second & 0x80 ? 4 : 0);
  }

  bool take_head(std::span<char>& in) {
    for (std::size_t need = head_size(); have_ < need; need = head_size()) {
      const std::size_t count = std::min(need - have_, in.size());
      if (count == 0) return false;
      std::memcpy(head_.data() + have_, in.data(), count);
      have_ = static_cast<std::uint8_t>(have_ + count);
      in = in.subspan(count);
    }
    const auto second = static_cast<std::uint8_t>(head_[1]);
    length_ = second & 0x7f;
    std::size_t at = 2;
    if (length_ >= 126) {
      const std::size_t end = length_ == 126 ? 4 : 10;
      for (length_ = 0; at < end; ++at) length_ = length_ << 8 | static_cast<std::uint8_t>(head_[at]);
    }
    if (second & 0x80) std::memcpy(mask_.data(), head_.data() + at, 4);
    masked_ = (second & 0x80) && (mask_[0] | mask_[1] | mask_[2] | mask_[3]) != 0;
    left_ = length_;
    have_ = 0;
    return true;
  }

  void unmask(std::span<char> payload) const {
    std::uint64_t at = length_ - left_;
    for (char& byte : payload) byte = static_cast<char>(byte ^ mask_[at++ & 3]);
  }

  std::uint64_t length_ = 0;
  std::uint64_t left_ = 0;
  std::array<char, kMostFrameHead> head_{};
  std::array<char, 4> mask_{};
  std::uint8_t have_ = 0;
  bool in_frame_ = false;
  bool masked_ = false;
};

}  // namespace limpet::bench
