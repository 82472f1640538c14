// What the adapters of Node.js's ClusterAdapter family say to each other: one map a message, of types 3
// to 12. Pure.
//
//   {type, data, uid, nsp}                          uid: of the node and namespace that says it
//    3 broadcast       {packet: {type: 2, data: [event, ...]}, requestId?, opts: {rooms, except, flags}}
//    4, 5 join, leave  {opts, rooms}                6 disconnect     {opts, close}
//    7 fetch           {opts, requestId}            8 its answer     {requestId, sockets}
//    9 server event    {requestId?, packet: [...]}  10 its answer    {requestId, packet}
//   11 clients asked   {requestId, clientCount}     12 one's answer  {requestId, packet}
//
// Types 1, 2 and 13 are heartbeats of others of that family. 64 is ours alone (Node.js's adapters ignore what
// they do not know): a session has been restored elsewhere, {sid, pid}.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/cluster/parts.h"
#include "backend/codec/args.h"

namespace limpet::cluster::family {

enum class Type : std::uint8_t {
  initial_heartbeat = 1,
  heartbeat = 2,
  broadcast = 3,
  join = 4,
  leave = 5,
  disconnect = 6,
  fetch = 7,
  fetch_answer = 8,
  server_event = 9,
  server_answer = 10,
  clients_asked = 11,
  client_answer = 12,
  close = 13,
  superseded = 64,
};

// What is to be said. All of it is borrowed; what its type does not need is left out.
struct Outgoing {
  Type type;
  const adapter::Target* target = nullptr;
  std::string_view request = {};                                // its id, or empty
  const adapter::Event* event = nullptr;                        // of 3 and 9
  const std::vector<std::string>* rooms = nullptr;              // of 4 and 5
  bool close = false;                                           // of 6
  const std::vector<adapter::RemoteSocket>* sockets = nullptr;  // of 8
  const codec::Args* answer = nullptr;                          // of 10 and 12: its first
  std::size_t clients = 0;                                      // of 11
  std::string_view sid = {}, pid = {};                          // of 64

  bool has_bytes() const;  // JSON cannot say it
};

// `Writer`: codec::msgpack::Writer or TextWriter. The whole map, or `data` alone.
template <class Writer>
void write(Writer& to, const Outgoing& what, std::string_view uid, std::string_view nsp);
template <class Writer>
void write_data(Writer& to, const Outgoing& what);

// What has been said by others.
struct Incoming {
  Type type{};
  std::string uid, nsp;  // an emitter may have no uid
  codec::Args data;      // data[0]: an object
};
// A whole map, JSON if it begins with a brace, else MessagePack. Nothing: not that.
std::optional<Incoming> read(std::string_view body);
// `data` alone, in the text of a stream's entry: JSON, or base64 of MessagePack.
std::optional<codec::Args> read_data(std::string_view text);

bool read_request(const boost::json::object& data, std::string& request);  // of a missing one: empty

// Of type 3, whole. False: not as it should be.
struct Broadcast {
  adapter::Target target;
  std::string request;  // its id, if clients are to answer
  Said event;
};
bool take_broadcast(Incoming& said, Broadcast& broadcast);

}  // namespace limpet::cluster::family
