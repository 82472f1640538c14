#include "backend/engine/payload.h"

#include <algorithm>
#include <charconv>

#include "backend/codec/base64.h"
#include "backend/engine/text.h"

namespace limpet::engine {
namespace {

constexpr char kSeparator = 0x1e;
constexpr char kEndOfLength = static_cast<char>(0xff);
constexpr std::size_t kMostDigits = 9;
constexpr char kMessageByte = 4;

std::optional<Type> type_of(char digit) {
  if (digit < '0' || digit > '6') return std::nullopt;
  return static_cast<Type>(digit - '0');
}

// --- one packet ---

std::optional<Packet> base64_packet(int revision, std::string_view text, std::string& room) {
  Packet packet{Type::message, ws::Kind::binary, {}};
  if (revision == 3) {
    packet.type = text.empty() ? Type::unknown : type_of(text.front()).value_or(Type::unknown);
    text.remove_prefix(std::min<std::size_t>(text.size(), 1));
  }
  codec::decode_base64(text, room);
  packet.data = room;
  return packet;
}

}  // namespace

std::optional<Packet> packet_of_text(int revision, std::string_view text, std::string& room) {
  if (text.empty()) return std::nullopt;
  if (text.front() == 'b') return base64_packet(revision, text.substr(1), room);
  const auto type = type_of(text.front());
  if (!type) return std::nullopt;
  return Packet{*type, ws::Kind::text, text.substr(1)};
}

Packet packet_of_bytes(int revision, std::string_view bytes) {
  if (revision == 4) return {Type::message, ws::Kind::binary, bytes};
  if (bytes.empty() || bytes.front() < 0 || bytes.front() > 6) return {Type::unknown, ws::Kind::binary, {}};
  return {static_cast<Type>(bytes.front()), ws::Kind::binary, bytes.substr(1)};
}

// --- a payload taken apart ---

PayloadReader::Step PayloadReader::next(Packet& packet) {
  if (over_) return Step::end;
  const Step step = form_ == Form::separated ? separated(packet)
                    : form_ == Form::counted ? counted(packet)
                                             : bytes(packet);
  if (step != Step::packet) over_ = true;
  return step;
}

PayloadReader::Step PayloadReader::separated(Packet& packet) {
  const std::size_t end = rest_.find(kSeparator);
  const auto found = packet_of_text(4, rest_.substr(0, end), room_);
  if (!found) return Step::bad;
  packet = *found;
  over_ = end == std::string_view::npos;
  if (!over_) rest_.remove_prefix(end + 1);
  return Step::packet;
}

PayloadReader::Step PayloadReader::counted(Packet& packet) {
  if (rest_.empty()) return Step::bad;  // an empty body; the end of any other is seen below
  while (!rest_.empty()) {
    std::size_t units = 0;
    const char* const last = rest_.data() + std::min(rest_.size(), kMostDigits);
    const auto [end, error] = std::from_chars(rest_.data(), last, units);
    if (error != std::errc() || end == rest_.data() + rest_.size() || *end != ':') return Step::bad;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()) + 1);
    const std::size_t size = bytes_of_units(rest_, units);
    if (size == std::string_view::npos) return Step::bad;
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (text.empty()) continue;  // as the original: no packet, no fault
    const auto found = packet_of_text(3, text, room_);
    if (!found) return Step::bad;
    packet = *found;
    over_ = rest_.empty();
    return Step::packet;
  }
  return Step::end;
}

PayloadReader::Step PayloadReader::bytes(Packet& packet) {
  const bool text = rest_.front() == 0;
  std::size_t size = 0, at = 1;
  for (; at < rest_.size() && rest_[at] != kEndOfLength; ++at) {
    if (at > kMostDigits || rest_[at] < 0 || rest_[at] > 9) return Step::bad;
    size = size * 10 + static_cast<std::size_t>(rest_[at]);
  }
  if (at >= rest_.size() || at == 1) return Step::bad;
  rest_.remove_prefix(at + 1);
  const std::string_view data = rest_.substr(0, size);  // what there is, as the original
  rest_.remove_prefix(data.size());
  over_ = rest_.empty();
  if (!text) {
    packet = packet_of_bytes(3, data);
    return Step::packet;
  }
  const auto found = valid_utf8(data) ? packet_of_text(3, data, room_) : std::nullopt;
  if (!found) return Step::bad;
  packet = *found;
  return Step::packet;
}

// --- a payload put together ---

namespace {

void append_separated(std::string& out, const ws::Message& message) {
  if (message.kind() == ws::Kind::text) {
    out += message.body();
    return;
  }
  out += 'b';
  codec::append_base64(out, message.body());
}

void append_counted(std::string& out, const ws::Message& message) {
  const std::string_view body = message.body();
  if (message.kind() == ws::Kind::text) {
    out += std::to_string(utf16_length(body)) + ':';
    out += body;
    return;
  }
  out += std::to_string(2 + codec::base64_size(body.size())) + ":b4";
  codec::append_base64(out, body);
}

void append_bytes(std::string& out, const ws::Message& message) {
  const bool binary = message.kind() == ws::Kind::binary;
  out += binary ? '\1' : '\0';
  for (const char digit : std::to_string(message.body().size() + (binary ? 1 : 0))) {
    out += static_cast<char>(digit - '0');
  }
  out += kEndOfLength;
  if (binary) out += kMessageByte;
  out += message.body();
}

}  // namespace

void append_payload(std::string& out, Form form, std::span<const ws::MessageRef> packets) {
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (form == Form::separated) {
      if (i > 0) out += kSeparator;
      append_separated(out, *packets[i]);
    } else if (form == Form::counted) {
      append_counted(out, *packets[i]);
    } else {
      append_bytes(out, *packets[i]);
    }
  }
}

}  // namespace limpet::engine
