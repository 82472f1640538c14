// What nodes of @socket.io/redis-adapter say to each other: bodies to values, values to bodies. Pure.
//
// Broadcasts are MessagePack. Requests and answers are JSON where Node.js's nodes write JSON, and are read as
// either: JSON begins with a brace. Keys stand in the order in which Node.js writes them. Nothing that is
// read is trusted: what is not of the right kind makes the whole body nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/cluster/parts.h"
#include "backend/codec/args.h"
#include "backend/codec/msgpack.h"

namespace limpet::cluster::classic_wire {

using adapter::Event;
using adapter::RemoteSocket;
using adapter::Target;
using codec::Args;
using codec::msgpack::Writer;

// All begin with the key; `prefix` and `request` end with the namespace and a "#".
struct Channels {
  Channels(std::string_view key, std::string_view nsp, std::string_view uid);
  // Whom a broadcast is for decides: the one room that it names, or the namespace.
  std::string of(const Target& target) const;
  std::string answers_to(std::string_view uid) const;

  std::string broadcast;  // to all; with a room and a "#" behind it: to one room
  std::string pattern;    // of both
  std::string request, response;
  std::string own_response;  // response, uid, "#"
};

enum class Type : std::uint8_t {
  sockets,
  all_rooms,
  join,
  leave,
  disconnect,
  fetch,
  server_side_emit,
  broadcast,
  client_count,
  ack,
};

struct Broadcast {
  std::string uid;  // who says it; empty: nobody says
  std::string nsp;
  Said event;
  Target target;
};
std::optional<Broadcast> read_broadcast(std::string_view body);
void write_broadcast(Writer& out, std::string_view uid, std::string_view nsp, const Event& event,
                     const Target& target);
// What the bodies begin with that this node has written: they need not be read.
std::string beginning_of_own(std::string_view uid);

struct Request {
  Type type = Type::sockets;
  std::string uid;                 // empty: nobody says, or an emitter
  std::string id;                  // empty: no answer is wanted
  std::optional<Target> target;    // of types 2 to 5 and 7; without it they are of the older form:
  std::string sid;                 // one socket
  std::vector<std::string> rooms;  // of types 0, 2 and 3
  bool close = false;              // of type 4
  Said event;                      // of types 6 and 7
};
std::optional<Request> read_request(std::string_view body);

std::string fetch_request(std::string_view uid, std::string_view id, const Target& target);
// Type join or leave.
std::string rooms_request(Type type, std::string_view uid, const Target& target,
                          const std::vector<std::string>& rooms);
std::string disconnect_request(std::string_view uid, const Target& target, bool close);
// Without an id no answer is wanted.
std::string emit_request(std::string_view uid, std::string_view id, const Event& event);
void write_broadcast_request(Writer& out, std::string_view uid, std::string_view id, std::string_view nsp,
                             const Event& event, const Target& target);

struct Answer {
  std::string id;
  std::optional<Type> type;
  std::optional<std::vector<RemoteSocket>> sockets;
  std::optional<std::size_t> clients;
  Args first;  // of types 6 and 9: what was answered; null if nothing
};
std::optional<Answer> read_answer(std::string_view body);

std::string done_answer(std::string_view id);  // to join, leave and disconnect of the older form
std::string sockets_answer(std::string_view id, const std::vector<std::string_view>& sids);
std::string rooms_answer(std::string_view id, const std::vector<std::string>& rooms);
std::string fetch_answer(std::string_view id, const std::vector<RemoteSocket>& sockets);
std::string emit_answer(std::string_view id, const Args& args);  // the first one, if there is one
std::string clients_answer(std::string_view id, std::size_t clients);
void write_ack_answer(Writer& out, std::string_view id, const Args& args);

}  // namespace limpet::cluster::classic_wire
