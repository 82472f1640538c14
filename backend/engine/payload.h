// Payloads of long polling, and single packets: taken apart and put together in both revisions. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "backend/ws/message.h"

namespace limpet::engine {

enum class Type : std::uint8_t { open, close, ping, pong, message, upgrade, noop, unknown };

// `unknown`: a binary packet of revision 3 with another type byte, which engine.io passes over.
struct Packet {
  Type type = Type::unknown;
  ws::Kind kind = ws::Kind::text;
  std::string_view data;
};

// One packet as a frame or a part of a payload holds it. Nothing: it is none. `room` keeps what had to be
// decoded.
std::optional<Packet> packet_of_text(int revision, std::string_view text, std::string& room);
Packet packet_of_bytes(int revision, std::string_view bytes);

enum class Form : std::uint8_t {
  separated,  // revision 4: packets with 0x1e between them, binary as base64
  counted,    // revision 3: each behind its length in UTF-16 units
  bytes,      // revision 3, where both sides can take bytes: kind, decimal length, 0xff, packet
};

// Walks a payload. What stands before a packet that is none counts.
class PayloadReader {
 public:
  enum class Step : std::uint8_t { packet, end, bad };
  PayloadReader(Form form, std::string_view body)
      : rest_(body), form_(form), over_(body.empty() && form == Form::bytes) {}
  Step next(Packet& packet);  // its views live until the next call, and as long as the body
  bool over() const { return over_; }
  std::string_view rest() const { return rest_; }  // unless it is over: a payload of its own

 private:
  Step separated(Packet& packet);
  Step counted(Packet& packet);
  Step bytes(Packet& packet);
  std::string_view rest_;
  std::string room_;
  Form form_;
  bool over_;
};

// Packets as they are queued: text with its type before it, binary as it is. `form` is counted for a revision
// 3 client that takes no binary, and where there is none.
void append_payload(std::string& out, Form form, std::span<const ws::MessageRef> packets);

}  // namespace limpet::engine
