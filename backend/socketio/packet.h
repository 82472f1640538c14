// Socket.IO packets, protocol 5 and 4: text in, values out, and back. Pure.
//
//   <type>[<attachments>-][<namespace>,][<ack id>][<JSON>]      inside an Engine.IO message
//
// Refused is what socket.io-parser refuses (an unknown type, a payload of the wrong kind, a reserved event,
// more than the allowed attachments, a placeholder without bytes), JSON that is too deep, and numbers that
// JavaScript would take but no client writes: attachments that are not counted in digits, ack ids beyond
// 2^53, half a placeholder.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/codec/args.h"

namespace limpet::socketio {

using codec::Args;
using codec::Binary;

enum class Type : std::uint8_t { connect, disconnect, event, ack, connect_error, binary_event, binary_ack };

using AckId = std::uint64_t;  // at most 2^53 - 1, as JavaScript counts no further

struct Bounds {
  std::size_t depth = 64;
  std::uint32_t attachments = 10;
};

// A packet's text, taken apart but for its JSON. Views into it.
struct Header {
  Type type = Type::connect;
  std::uint32_t attachments = 0;
  std::string_view nsp = "/";
  std::optional<AckId> id;
  std::string_view payload;
};
std::optional<Header> read_header(std::string_view text, const Bounds& bounds);

// connect and connect_error: an object (or a string) or nothing. disconnect: nothing.
bool read_payload(const Header& header, const Bounds& bounds, boost::json::value& data);

// An event's name and arguments. `name` lives in the text or in `room`. A missing payload is an event without
// a name.
struct EventData {
  std::string_view name;
  bool name_is_number = false;
  Args args;
};
bool read_event(const Header& header, const Bounds& bounds, std::string& room, EventData& event);
bool read_ack(const Header& header, const Bounds& bounds, Args& args);

// Every placeholder among the values has its bytes, and there are at most `most`: who sends them on writes an
// attachment for each, however many of them mean the same one.
bool placeholders_fit(const boost::json::array& values, std::size_t binaries, std::size_t most);

bool is_reserved(std::string_view event);  // `connect`, `disconnect`, ...: never an application's

// What is written: a header's text, then the bytes of its attachments, in order.
class PacketWriter {
 public:
  // Each forgets what was written before.
  void event(std::string_view nsp, std::optional<AckId> id, std::string_view name, bool name_is_number,
             const Args& args, std::optional<std::string_view> offset = std::nullopt);
  void ack(std::string_view nsp, AckId id, const Args& args);
  // connect, disconnect, connect_error: `json` is text or empty.
  void plain(Type type, std::string_view nsp, std::string_view json);

  std::string_view text() const { return text_; }
  const std::vector<const std::string*>& attachments() const { return attachments_; }  // of the Args given

 private:
  void begin();
  void head(Type type, std::string_view nsp, std::optional<AckId> id);

  std::string text_;
  std::string body_;  // of a packet with attachments: its head has their number
  std::vector<const std::string*> attachments_;
};

}  // namespace limpet::socketio
