// A Socket.IO 2.x client's namespace: "/admin?token=abc", whose query is what it authenticates with. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

namespace limpet::socketio {

struct NamespaceQuery {
  std::string_view path;
  boost::json::object query;  // percent-decoded texts; of a key that comes more than once an array
};
NamespaceQuery split_namespace(std::string_view name);

// What a namespace's name may be: at most 256 bytes of well-formed UTF-8.
bool is_namespace_name(std::string_view name);

}  // namespace limpet::socketio
