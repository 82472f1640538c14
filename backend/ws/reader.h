// Reader: what a client's bytes mean: frames in, whole messages and control frames out (RFC 6455, 5 to 8).
//
// Pure: knows no socket. A message that lies whole in the bytes is unmasked there and handed up as a view; of
// one that is cut, or in fragments, the Reader keeps what it has until the rest is there. Between messages it
// holds nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "backend/ws/message.h"
#include "proxy/wire/ws_frame.h"

namespace limpet::ws {

class Inflater;

// Of one connection; handed in, so that many need not keep them.
struct Rules {
  std::size_t max_message = 0;   // bytes, inflated, inclusive
  bool check_utf8 = true;        // of text messages
  Inflater* inflater = nullptr;  // permessage-deflate was negotiated
};

class Reader {
 public:
  enum class What : std::uint8_t { more, message, ping, pong, close, fault };
  struct Event {
    What what = What::more;  // `more`: all bytes are taken
    Kind kind = Kind::text;
    std::uint16_t code = 0;  // of a close (1005: without one), or with which a fault has to be answered
    std::string_view body;   // or a close's reason; good until the next call
  };

  Reader();
  ~Reader();
  // Takes from the front of `in`, whose bytes it may change. After a fault or a close there is nothing more
  // to read.
  Event next(std::span<char>& in, const Rules& rules);
  bool holds_nothing() const { return cut_ == nullptr; }
  std::size_t cut_size() const;  // bytes of the message that is not whole
  std::size_t holds() const;     // what is kept of it, in memory

 private:
  struct Cut;
  Cut& cut();
  void let_go();
  wire::HeadStep read_head(std::span<char>& in, wire::FrameHead& head);
  std::uint16_t refusal(const wire::FrameHead& head, const Rules& rules) const;
  Event begin_frame(const wire::FrameHead& head, std::span<char>& in, const Rules& rules);
  Event go_on(std::span<char>& in, const Rules& rules);
  Event end_frame(const Rules& rules);

  std::unique_ptr<Cut> cut_;  // what is known of a frame or message that is not whole
};

}  // namespace limpet::ws
