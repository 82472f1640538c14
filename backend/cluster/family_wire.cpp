#include "backend/cluster/family_wire.h"

#include <boost/json/array.hpp>
#include <utility>

#include "backend/codec/base64.h"
#include "backend/codec/msgpack.h"

namespace limpet::cluster::family {
namespace {

using boost::json::object;
using boost::json::value;

// A number's type is its digits in a stream, and a number in a map.
bool read_type(const value* read, Type& type) {
  const auto number = number_in(read);
  if (!number || !(*number >= 1 && *number <= 255)) return false;
  type = static_cast<Type>(*number);
  return true;
}

}  // namespace

std::optional<Incoming> read(std::string_view body) {
  auto whole = read_body(body);
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
    args = read_body(text);
  } else {
    std::string bytes;
    codec::decode_base64(text, bytes);
    args = codec::msgpack::read(bytes, {.depth = kBodyDepth});
  }
  if (args && !args->values()[0].is_object()) return std::nullopt;
  return args;
}

bool read_request(const object& data, std::string& request) {
  return read_name(data.if_contains("requestId"), request);
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

}  // namespace limpet::cluster::family
