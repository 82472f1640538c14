#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <utility>

#include "backend/cluster/classic_wire.h"
#include "backend/cluster/room_name.h"
#include "backend/codec/msgpack.h"

namespace limpet::cluster::classic_wire {
namespace {

constexpr int kBinaryEvent = 5;  // the emitters of Socket.IO 2 tell them apart

using boost::json::object;
using boost::json::value;

std::optional<Type> type_of(const object& body) {
  const auto number = number_in(body.if_contains("type"));
  if (!number || *number < 0 || *number > static_cast<double>(Type::ack) || *number != std::trunc(*number))
    return std::nullopt;
  return static_cast<Type>(*number);
}

// {type, data, nsp}. A packet without a namespace is of the main one.
bool take_packet(value* it, Args& whole, std::string& nsp, Said& event) {
  object* packet = it == nullptr ? nullptr : it->if_object();
  if (packet == nullptr) return false;
  const auto type = number_in(packet->if_contains("type"));
  if (!type || (*type != kEvent && *type != kBinaryEvent)) return false;
  const value* name = packet->if_contains("nsp");
  if (is_missing(name))
    nsp = "/";
  else if (!read_name(name, nsp))
    return false;
  return take_event(packet->if_contains("data"), whole, event);
}

// Of types 2 to 5: the newer form, a target; or the older one, a socket (types 2 to 4).
bool read_whom(object& body, Request& request) {
  const value* opts = body.if_contains("opts");
  if (!is_missing(opts)) return read_target(opts, request.target.emplace());
  const value* sid = body.if_contains("sid");
  if (request.type == Type::fetch || is_missing(sid) || !sid->is_string()) return false;
  request.sid = sid->get_string();
  return true;
}

bool read_rooms(const object& body, Request& request) {
  const bool older = !request.target && request.type != Type::sockets;
  const value* one = body.if_contains("room");
  if (older && !is_missing(one)) {
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
  close = is_true(it);
  return is_missing(it) || it->is_bool();
}

// What its type needs.
bool take_rest(object& body, Args& whole, Request& request) {
  std::string nsp;
  switch (request.type) {
    case Type::sockets: return !request.id.empty() && read_rooms(body, request);
    case Type::all_rooms: return !request.id.empty();
    case Type::join:
    case Type::leave: return read_whom(body, request) && read_rooms(body, request);
    case Type::disconnect: return read_whom(body, request) && read_close(body, request.close);
    case Type::fetch: return !request.id.empty() && read_whom(body, request);
    case Type::server_side_emit: return take_event(body.if_contains("data"), whole, request.event);
    case Type::broadcast:
      return !request.id.empty() && read_target(body.if_contains("opts"), request.target.emplace()) &&
             take_packet(body.if_contains("packet"), whole, nsp, request.event);
    case Type::client_count:
    case Type::ack: return false;  // answers
  }
  return false;
}

}  // namespace

std::optional<Broadcast> read_broadcast(std::string_view body) {
  auto whole = codec::msgpack::read(body, {.depth = kBodyDepth});
  auto* parts = whole ? whole->values()[0].if_array() : nullptr;
  if (parts == nullptr || parts->size() < 3) return std::nullopt;
  Broadcast read;
  if (!read_name(&(*parts)[0], read.uid) || !read_target(&(*parts)[2], read.target) ||
      !take_packet(&(*parts)[1], *whole, read.nsp, read.event))
    return std::nullopt;
  return read;
}

std::optional<Request> read_request(std::string_view body) {
  auto whole = read_body(body);
  object* all = whole ? whole->values()[0].if_object() : nullptr;
  if (all == nullptr) return std::nullopt;
  const auto type = type_of(*all);
  Request request;
  if (!type || !read_name(all->if_contains("uid"), request.uid) ||
      !read_name(all->if_contains("requestId"), request.id))
    return std::nullopt;
  request.type = *type;
  if (!take_rest(*all, *whole, request)) return std::nullopt;
  return request;
}

std::optional<Answer> read_answer(std::string_view body) {
  auto whole = read_body(body);
  object* all = whole ? whole->values()[0].if_object() : nullptr;
  Answer answer;
  if (all == nullptr || !read_name(all->if_contains("requestId"), answer.id) || answer.id.empty())
    return std::nullopt;
  answer.type = type_of(*all);
  answer.sockets = take_sockets(all->if_contains("sockets"), *whole);
  answer.clients = count_in(all->if_contains("clientCount"));
  value* first = all->if_contains(answer.type == Type::ack ? "packet" : "data");
  boost::json::array values;
  values.push_back(first == nullptr ? value() : std::move(*first));
  answer.first = Args(std::move(values), whole->take_binaries());
  return answer;
}

}  // namespace limpet::cluster::classic_wire
