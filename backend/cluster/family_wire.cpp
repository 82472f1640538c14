#include "backend/cluster/family_wire.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <utility>

#include "backend/cluster/room_name.h"
#include "backend/codec/base64.h"
#include "backend/codec/json_reader.h"
#include "backend/codec/json_writer.h"
#include "backend/codec/msgpack.h"

namespace limpet::cluster::family {
namespace {

constexpr std::size_t kDepth = 72;    // what an event may have, and what is around it
constexpr std::size_t kName = 256;    // bytes of ids and namespaces that others give
constexpr int kEvent = 2;             // Socket.IO's packet type
constexpr double kLongest = 600'000;  // ms that clients may take to answer, whatever is said

using boost::json::object;
using boost::json::value;

std::optional<double> number_in(const value* read) {
  if (read == nullptr) return std::nullopt;
  if (const auto* integer = read->if_int64()) return static_cast<double>(*integer);
  if (const auto* integer = read->if_uint64()) return static_cast<double>(*integer);
  if (const auto* number = read->if_double()) return *number;
  return std::nullopt;
}

bool is_missing(const value* read) {
  return read == nullptr || read->is_null();
}

// A number's type is its digits in a stream, and a number in a map.
bool read_type(const value* read, Type& type) {
  const auto number = number_in(read);
  if (!number || !(*number >= 1 && *number <= 255)) return false;
  type = static_cast<Type>(*number);
  return true;
}

bool read_name(const value* read, std::string& name) {
  if (is_missing(read)) return true;
  const auto* text = read->if_string();
  if (text == nullptr || text->size() > kName) return false;
  name = *text;
  return true;
}

std::optional<codec::Args> read_json(std::string_view text) {
  auto read = codec::JsonReader(text, kDepth).read();
  if (!read) return std::nullopt;
  codec::Args args;
  args.add(std::move(*read));
  return args;
}

std::optional<codec::Args> read_msgpack(std::string_view bytes) {
  return codec::msgpack::read(bytes, {.depth = kDepth});
}

}  // namespace

std::optional<Incoming> read(std::string_view body) {
  auto whole = body.starts_with('{') ? read_json(body) : read_msgpack(body);
  if (!whole) return std::nullopt;
  object* map = whole->values()[0].if_object();
  Incoming read;
  if (map == nullptr || !read_type(map->if_contains("type"), read.type) ||
      !read_name(map->if_contains("uid"), read.uid) || !read_name(map->if_contains("nsp"), read.nsp))
    return std::nullopt;
  value* data = map->if_contains("data");
  boost::json::array values;
  values.push_back(data != nullptr && data->is_object() ? std::move(*data) : value(object()));
  read.data = codec::Args(std::move(values), whole->take_binaries());
  return read;
}

std::optional<codec::Args> read_data(std::string_view text) {
  std::optional<codec::Args> args;
  if (text.empty()) {
    args.emplace().add(object());
  } else if (text.starts_with('{')) {
    args = read_json(text);
  } else {
    std::string bytes;
    codec::decode_base64(text, bytes);
    args = read_msgpack(bytes);
  }
  if (args && !args->values()[0].is_object()) return std::nullopt;
  return args;
}

bool read_target(const value* opts, adapter::Target& target) {
  const object* map = opts != nullptr ? opts->if_object() : nullptr;
  if (map == nullptr) return false;
  auto rooms = room_names(map->if_contains("rooms"));
  auto except = room_names(map->if_contains("except"));
  if (!rooms || !except) return false;
  target.rooms = std::move(*rooms);
  target.except = std::move(*except);
  const value* flags = map->if_contains("flags");
  if (is_missing(flags)) return true;
  const object* each = flags->if_object();
  if (each == nullptr) return false;
  const value* is_volatile = each->if_contains("volatile");
  target.flags.volatile_ = is_volatile != nullptr && is_volatile->is_bool() && is_volatile->get_bool();
  const value* compress = each->if_contains("compress");
  target.flags.compress = compress == nullptr || !compress->is_bool() || compress->get_bool();
  const double timeout = number_in(each->if_contains("timeout")).value_or(0);
  if (timeout > 0) target.flags.timeout_ms = static_cast<std::uint64_t>(std::min(timeout, kLongest));
  return true;
}

bool read_request(const object& data, std::string& request) {
  return read_name(data.if_contains("requestId"), request);
}

bool read_socket(const value& socket, const codec::Args& whole, adapter::RemoteSocket& read) {
  const object* map = socket.if_object();
  if (map == nullptr) return false;
  const value* id = map->if_contains("id");
  auto rooms = room_names(map->if_contains("rooms"));
  if (id == nullptr || !id->is_string() || !rooms) return false;
  read.id = id->get_string();
  read.rooms = std::move(*rooms);
  if (const value* handshake = map->if_contains("handshake"))
    read.handshake = without_bytes(*handshake, whole);
  if (const value* data = map->if_contains("data")) read.data = without_bytes(*data, whole);
  return true;
}

bool take_event(value* event, codec::Args& whole, Said& said) {
  boost::json::array* array = event != nullptr ? event->if_array() : nullptr;
  if (array == nullptr || array->empty()) return false;
  const value& name = array->front();
  if (const auto* text = name.if_string()) {
    said.name = *text;
  } else if (number_in(&name)) {
    said.name_is_number = true;
    codec::write_json(said.name, name);
  } else {
    return false;
  }
  array->erase(array->begin());
  said.args = codec::Args(std::move(*array), whole.take_binaries());
  return true;
}

bool take_broadcast(Incoming& said, Broadcast& broadcast) {
  object& data = said.data.values()[0].get_object();
  value* packet = data.if_contains("packet");
  if (packet == nullptr || !packet->is_object()) return false;
  const value* type = packet->get_object().if_contains("type");
  if (type != nullptr && *type != kEvent) return false;
  return read_target(data.if_contains("opts"), broadcast.target) && read_request(data, broadcast.request) &&
         take_event(packet->get_object().if_contains("data"), said.data, broadcast.event);
}

value without_bytes(const value& read, const codec::Args& args) {
  if (args.binaries().empty()) return read;
  if (const std::string* bytes = args.binary(read)) {
    boost::json::array numbers;
    numbers.reserve(bytes->size());
    for (const char byte : *bytes) numbers.emplace_back(static_cast<unsigned char>(byte));
    return object{{"type", "Buffer"}, {"data", std::move(numbers)}};
  }
  if (const auto* array = read.if_array()) {
    boost::json::array copy;
    copy.reserve(array->size());
    for (const value& element : *array) copy.push_back(without_bytes(element, args));
    return copy;
  }
  if (const auto* map = read.if_object()) {
    object copy;
    copy.reserve(map->size());
    for (const auto& member : *map) copy.emplace(member.key(), without_bytes(member.value(), args));
    return copy;
  }
  return read;
}

}  // namespace limpet::cluster::family
