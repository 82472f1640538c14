// A room's name on the wire and here. JavaScript's rooms may be numbers: to(42) does not reach who has joined
// "42". Rooms here are texts, so a room that is no text gets one that no text room can have: 0xff, which is
// in no UTF-8, then its JSON. Pure.
//
//   room_name(42) == "\xff" "42"      room_name("42") == "42"
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/cluster/text_writer.h"
#include "backend/codec/msgpack.h"

namespace limpet::cluster {

// Of what stands for a room in a peer's message. What cannot be a room (an array, an object) gets the name of
// one that nobody is in.
std::string room_name(const boost::json::value& room);
bool is_nobodys(std::string_view name);  // that one
// A list of them. Nothing: it is neither a list nor missing (null).
std::optional<std::vector<std::string>> room_names(const boost::json::value* list);

// Back again.
boost::json::value room_value(std::string_view name);
template <class Writer>  // codec::msgpack::Writer or TextWriter
void write_room(Writer& out, std::string_view name);
// As it stands in a channel: "42" of both.
std::string_view room_in_channel(std::string_view name);

}  // namespace limpet::cluster
