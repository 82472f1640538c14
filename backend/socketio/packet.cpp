#include "backend/socketio/packet.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>

#include "backend/codec/json_reader.h"
#include "backend/codec/json_writer.h"

namespace limpet::socketio {
namespace {

constexpr std::uint64_t kLargest = 9007199254740991;   // JavaScript's largest exact integer
constexpr std::size_t kKept = std::size_t{64} * 1024;  // of a writer's memory between packets

bool binary(Type type) {
  return type == Type::binary_event || type == Type::binary_ack;
}

// A run of digits, taken off the front.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number > kLargest) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
  return number;
}

// `most`: how many placeholders there may still be.
bool fits(const boost::json::value& value, std::size_t binaries, std::size_t& most) {
  if (const auto* array = value.if_array()) {
    return std::all_of(array->begin(), array->end(),
                       [&](const auto& element) { return fits(element, binaries, most); });
  }
  const auto* object = value.if_object();
  if (object == nullptr) return true;
  const boost::json::value* mark = object->if_contains("_placeholder");
  if (mark != nullptr && mark->is_bool() && mark->get_bool()) {
    if (most == 0) return false;
    --most;
    const boost::json::value* num = object->if_contains("num");
    return num != nullptr && num->is_int64() && num->get_int64() >= 0 &&
           static_cast<std::uint64_t>(num->get_int64()) < binaries;
  }
  return std::all_of(object->begin(), object->end(),
                     [&](const auto& member) { return fits(member.value(), binaries, most); });
}

}  // namespace

bool is_reserved(std::string_view event) {
  constexpr std::array<std::string_view, 6> kReserved = {"connect",       "connect_error", "disconnect",
                                                         "disconnecting", "newListener",   "removeListener"};
  return std::find(kReserved.begin(), kReserved.end(), event) != kReserved.end();
}

std::optional<Header> read_header(std::string_view text, const Bounds& bounds) {
  Header header;
  if (text.empty() || text[0] < '0' || text[0] > '6') return std::nullopt;
  header.type = static_cast<Type>(text[0] - '0');
  text.remove_prefix(1);
  if (binary(header.type)) {
    const auto number = take_number(text);
    if (!number || *number == 0 || *number > bounds.attachments || text.empty() || text[0] != '-') return {};
    header.attachments = static_cast<std::uint32_t>(*number);
    text.remove_prefix(1);
  }
  if (!text.empty() && text[0] == '/') {
    const std::size_t end = std::min(text.find(','), text.size());
    header.nsp = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    header.id = take_number(text);
    if (!header.id) return std::nullopt;
  }
  header.payload = text;
  return header;
}

bool read_payload(const Header& header, const Bounds& bounds, boost::json::value& data) {
  if (header.payload.empty()) return true;
  if (header.type == Type::disconnect) return false;
  auto value = codec::JsonReader(header.payload, bounds.depth).read();
  if (!value || !(value->is_object() || (header.type == Type::connect_error && value->is_string())))
    return false;
  data = std::move(*value);
  return true;
}

bool read_event(const Header& header, const Bounds& bounds, std::string& room, EventData& event) {
  if (header.payload.empty()) return true;
  auto read = codec::JsonReader(header.payload, bounds.depth).read_event(room);
  if (!read || (!read->name_is_number && is_reserved(read->name))) return false;
  event.name = read->name;
  event.name_is_number = read->name_is_number;
  event.args = Args(std::move(read->args));
  return true;
}

bool read_ack(const Header& header, const Bounds& bounds, Args& args) {
  if (header.payload.empty()) return true;
  auto value = codec::JsonReader(header.payload, bounds.depth).read();
  if (!value || !value->is_array()) return false;
  args = Args(std::move(value->get_array()));
  return true;
}

bool placeholders_fit(const boost::json::array& values, std::size_t binaries, std::size_t most) {
  return std::all_of(values.begin(), values.end(),
                     [&](const auto& value) { return fits(value, binaries, most); });
}

void PacketWriter::event(std::string_view nsp, std::optional<AckId> id, std::string_view name,
                         bool name_is_number, const Args& args, std::optional<std::string_view> offset) {
  begin();
  const bool may_hold_bytes = !args.binaries().empty();
  if (!may_hold_bytes) head(Type::event, nsp, id);
  std::string& out = may_hold_bytes ? body_ : text_;
  out += '[';
  if (name_is_number)
    out += name;
  else
    codec::write_string(out, name);
  for (const boost::json::value& value : args.values()) {
    out += ',';
    codec::write_json(out, value, args, attachments_);
  }
  if (offset) {
    out += ',';
    codec::write_string(out, *offset);
  }
  out += ']';
  if (may_hold_bytes) {
    head(attachments_.empty() ? Type::event : Type::binary_event, nsp, id);
    text_ += body_;
  }
}

void PacketWriter::ack(std::string_view nsp, AckId id, const Args& args) {
  begin();
  const bool may_hold_bytes = !args.binaries().empty();
  if (!may_hold_bytes) head(Type::ack, nsp, id);
  std::string& out = may_hold_bytes ? body_ : text_;
  out += '[';
  for (const boost::json::value& value : args.values()) {
    if (&value != args.values().begin()) out += ',';
    codec::write_json(out, value, args, attachments_);
  }
  out += ']';
  if (may_hold_bytes) {
    head(attachments_.empty() ? Type::ack : Type::binary_ack, nsp, id);
    text_ += body_;
  }
}

void PacketWriter::plain(Type type, std::string_view nsp, std::string_view json) {
  begin();
  head(type, nsp, std::nullopt);
  text_ += json;
}

void PacketWriter::begin() {
  text_.clear();
  body_.clear();
  if (text_.capacity() > kKept) text_.shrink_to_fit();
  if (body_.capacity() > kKept) body_.shrink_to_fit();
  attachments_.clear();
}

void PacketWriter::head(Type type, std::string_view nsp, std::optional<AckId> id) {
  const auto number = [&](std::uint64_t value) {
    char digits[24];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  };
  text_ += static_cast<char>('0' + static_cast<int>(type));
  if (binary(type)) {
    number(attachments_.size());
    text_ += '-';
  }
  if (nsp != "/") {
    text_ += nsp;
    text_ += ',';
  }
  if (id) number(*id);
}

}  // namespace limpet::socketio
