// Parts that the messages of all adapters have: whom something is for, an event, sockets. Pure.
//
// Reading trusts nothing: it says false, or nothing, where a part is not as it should be. What is missing is
// empty; null is missing, as JavaScript's undefined becomes null in MessagePack. Names of rooms are texts or
// numbers (room_name.h).
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/codec/args.h"

namespace limpet::cluster {

inline constexpr std::size_t kBodyDepth = 72;  // what an event may have, and what is around it

// JSON if it begins with a brace, else MessagePack: args[0].
std::optional<codec::Args> read_body(std::string_view body);

inline constexpr int kEvent = 2;  // Socket.IO's packet type

bool is_missing(const boost::json::value* it);
bool is_true(const boost::json::value* it);
std::optional<double> number_in(const boost::json::value* it);
std::optional<std::size_t> count_in(const boost::json::value* it);  // of clients
bool read_name(const boost::json::value* it, std::string& name);    // of a node, a request, a namespace
bool read_target(const boost::json::value* opts, adapter::Target& target);
// Its handshake and data are taken out of `whole`, if that has no bytes.
bool take_socket(boost::json::value& it, const codec::Args& whole, adapter::RemoteSocket& socket);
// All or none.
std::optional<std::vector<adapter::RemoteSocket>> take_sockets(boost::json::value* list,
                                                               const codec::Args& whole);

// An event's name and arguments, which are taken out of `whole`.
struct Said {
  std::string name;
  bool name_is_number = false;
  codec::Args args;
  adapter::Event event() const { return {name, args, name_is_number}; }
};
bool take_event(boost::json::value* event, codec::Args& whole, Said& said);

// As JSON.stringify() has it: byte strings as {"type":"Buffer","data":[...]}.
boost::json::value without_bytes(const boost::json::value& value, const codec::Args& args);

// `Writer`: codec::msgpack::Writer or TextWriter. Members in the order in which Node.js writes them.
template <class Writer>
void write_rooms(Writer& to, const std::vector<std::string>& rooms);
template <class Writer>
void write_target(Writer& to, const adapter::Target& target);  // {rooms, except, flags}
template <class Writer>
void write_event(Writer& to, const adapter::Event& event);  // [name, ...]
template <class Writer>
void write_sockets(Writer& to, const std::vector<adapter::RemoteSocket>& sockets);

}  // namespace limpet::cluster
