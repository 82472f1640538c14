#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <utility>

#include "backend/cluster/classic_wire.h"
#include "backend/cluster/room_name.h"
#include "backend/codec/json_reader.h"
#include "backend/codec/json_writer.h"

namespace limpet::cluster::classic_wire {
namespace {

constexpr std::size_t kDepth = 64;
constexpr std::size_t kMostId = 1024;          // bytes of an id: Node.js's have 6
constexpr double kMostTimeoutMs = 2147483647;  // of JavaScript's setTimeout
constexpr double kMostClients = 1e9;
constexpr int kEvent = 2,
              kBinaryEvent = 5;  // of Socket.IO's packets; the emitters of its version 2 tell them apart

using boost::json::object;
using boost::json::value;

// JSON or MessagePack: args[0] is its value.
std::optional<Args> read_body(std::string_view body) {
  if (!body.starts_with('{')) return codec::msgpack::read(body, {.depth = kDepth});
  auto value = codec::JsonReader(body, kDepth).read();
  if (!value) return std::nullopt;
  Args args;
  args.add(std::move(*value));
  return args;
}

object* object_of(value* it) {
  return it == nullptr ? nullptr : it->if_object();
}

// Missing or null, as JavaScript's `undefined` becomes null in MessagePack.
bool absent(const value* it) {
  return it == nullptr || it->is_null();
}

std::optional<double> number_of(const value* it) {
  if (it == nullptr || !it->is_number()) return std::nullopt;
  return it->to_number<double>();
}

std::optional<Type> type_of(const object& body) {
  const auto number = number_of(body.if_contains("type"));
  if (!number || *number < 0 || *number > static_cast<double>(Type::ack) || *number != std::trunc(*number))
    return std::nullopt;
  return static_cast<Type>(*number);
}

// False: it is there, and no text that names something.
bool read_id(const value* it, std::optional<std::string>& id) {
  if (absent(it)) return true;
  const auto* text = it->if_string();
  if (text == nullptr || text->empty() || text->size() > kMostId) return false;
  id.emplace(*text);
  return true;
}

// [name, ...arguments]
bool read_packet(value* data, std::vector<std::string> binaries, Packet& packet) {
  auto* values = data == nullptr ? nullptr : data->if_array();
  if (values == nullptr || values->empty()) return false;
  const value& name = values->front();
  if (const auto* text = name.if_string()) {
    packet.name = *text;
  } else {
    const auto number = number_of(&name);
    if (!number || !std::isfinite(*number)) return false;
    codec::write_number(packet.name, *number);
    packet.name_is_number = true;
  }
  values->erase(values->begin());
  packet.args = Args(std::move(*values), std::move(binaries));
  return true;
}

bool read_flags(const value* it, adapter::Flags& flags) {
  if (absent(it)) return true;
  const object* all = it->if_object();
  if (all == nullptr) return false;
  if (const value* on = all->if_contains("volatile"); on != nullptr && on->is_bool())
    flags.volatile_ = on->get_bool();
  if (const value* on = all->if_contains("compress"); on != nullptr && on->is_bool())
    flags.compress = on->get_bool();
  if (const auto ms = number_of(all->if_contains("timeout")); ms && *ms > 0)
    flags.timeout_ms = static_cast<std::uint64_t>(std::min(*ms, kMostTimeoutMs));
  return true;
}

bool read_target(const value* it, Target& target) {
  const object* opts = it == nullptr ? nullptr : it->if_object();
  if (opts == nullptr) return false;
  auto rooms = room_names(opts->if_contains("rooms"));
  auto except = room_names(opts->if_contains("except"));
  if (!rooms || !except || !read_flags(opts->if_contains("flags"), target.flags)) return false;
  target.rooms = std::move(*rooms);
  target.except = std::move(*except);
  return true;
}

// {type, data, nsp}. A packet without a namespace is of the main one.
bool read_event(value* it, std::vector<std::string> binaries, std::string& nsp, Packet& packet) {
  object* event = object_of(it);
  if (event == nullptr) return false;
  const auto type = number_of(event->if_contains("type"));
  if (!type || (*type != kEvent && *type != kBinaryEvent)) return false;
  const value* name = event->if_contains("nsp");
  if (!absent(name) && !name->is_string()) return false;
  nsp = absent(name) ? "/" : std::string(name->get_string());
  return read_packet(event->if_contains("data"), std::move(binaries), packet);
}

// Of types 2 to 5: the newer form, a target; or the older one, a socket (types 2 to 4).
bool read_whom(object& body, Request& request) {
  const value* opts = body.if_contains("opts");
  if (!absent(opts)) return read_target(opts, request.target.emplace());
  const value* sid = body.if_contains("sid");
  if (request.type == Type::fetch || absent(sid) || !sid->is_string()) return false;
  request.sid = sid->get_string();
  return true;
}

bool read_rooms(const object& body, Request& request) {
  const bool older = !request.target && request.type != Type::sockets;
  const value* one = body.if_contains("room");
  if (older && !absent(one)) {
    request.rooms.push_back(room_name(*one));
    return true;
  }
  auto rooms = room_names(body.if_contains("rooms"));
  if (!rooms || older) return false;
  request.rooms = std::move(*rooms);
  return true;
}

bool read_close(const object& body, bool& close) {
  const value* it = body.if_contains("close");
  close = it != nullptr && it->is_bool() && it->get_bool();
  return absent(it) || it->is_bool();
}

bool read_rest(object& body, std::vector<std::string> binaries, Request& request) {
  std::string nsp;
  switch (request.type) {
    case Type::sockets: return request.id && read_rooms(body, request);
    case Type::all_rooms: return request.id.has_value();
    case Type::join:
    case Type::leave: return read_whom(body, request) && read_rooms(body, request);
    case Type::disconnect: return read_whom(body, request) && read_close(body, request.close);
    case Type::fetch: return request.id && read_whom(body, request);
    case Type::server_side_emit:
      return read_packet(body.if_contains("data"), std::move(binaries), request.packet);
    case Type::broadcast:
      return request.id && read_target(body.if_contains("opts"), request.target.emplace()) &&
             read_event(body.if_contains("packet"), std::move(binaries), nsp, request.packet);
    case Type::client_count:
    case Type::ack: return false;  // answers
  }
  return false;
}

std::optional<RemoteSocket> read_socket(value& it) {
  object* socket = it.if_object();
  if (socket == nullptr) return std::nullopt;
  const value* id = socket->if_contains("id");
  auto rooms = room_names(socket->if_contains("rooms"));
  if (id == nullptr || !id->is_string() || !rooms) return std::nullopt;
  RemoteSocket read{std::string(id->get_string()), {}, std::move(*rooms), {}};
  if (value* handshake = socket->if_contains("handshake")) read.handshake = std::move(*handshake);
  if (value* data = socket->if_contains("data")) read.data = std::move(*data);
  return read;
}

std::optional<std::vector<RemoteSocket>> read_sockets(value* it) {
  auto* list = it == nullptr ? nullptr : it->if_array();
  if (list == nullptr) return std::nullopt;
  std::vector<RemoteSocket> sockets;
  sockets.reserve(list->size());
  for (value& one : *list) {
    auto socket = read_socket(one);
    if (!socket) return std::nullopt;
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

}  // namespace

std::optional<Broadcast> read_broadcast(std::string_view body) {
  auto args = codec::msgpack::read(body, {.depth = kDepth});
  if (!args) return std::nullopt;
  auto* parts = args->values()[0].if_array();
  if (parts == nullptr || parts->size() < 3) return std::nullopt;
  Broadcast read;
  if (const auto* uid = (*parts)[0].if_string()) read.uid = *uid;
  if (!read_target(&(*parts)[2], read.target) ||
      !read_event(&(*parts)[1], args->take_binaries(), read.nsp, read.packet))
    return std::nullopt;
  return read;
}

std::optional<Request> read_request(std::string_view body) {
  auto args = read_body(body);
  object* all = args ? args->values()[0].if_object() : nullptr;
  if (all == nullptr) return std::nullopt;
  const auto type = type_of(*all);
  std::optional<std::string> uid;
  Request request;
  if (!type || !read_id(all->if_contains("uid"), uid) || !read_id(all->if_contains("requestId"), request.id))
    return std::nullopt;
  request.type = *type;
  request.uid = std::move(uid).value_or("");
  if (!read_rest(*all, args->take_binaries(), request)) return std::nullopt;
  return request;
}

std::optional<Answer> read_answer(std::string_view body) {
  auto args = read_body(body);
  object* all = args ? args->values()[0].if_object() : nullptr;
  if (all == nullptr) return std::nullopt;
  std::optional<std::string> id;
  if (!read_id(all->if_contains("requestId"), id) || !id) return std::nullopt;
  Answer answer;
  answer.id = std::move(*id);
  answer.type = type_of(*all);
  answer.sockets = read_sockets(all->if_contains("sockets"));
  const auto clients = number_of(all->if_contains("clientCount"));
  if (clients && *clients >= 0 && *clients <= kMostClients)
    answer.clients = static_cast<std::size_t>(*clients);
  value* first = all->if_contains(answer.type == Type::ack ? "packet" : "data");
  boost::json::array values;
  values.push_back(first == nullptr ? value() : std::move(*first));
  answer.first = Args(std::move(values), args->take_binaries());
  return answer;
}

}  // namespace limpet::cluster::classic_wire
