#include "backend/socketio/handshake_json.h"

#include <ctime>
#include <string>
#include <string_view>

#include "backend/socketio/query.h"
#include "backend/socketio/socket.h"

namespace limpet::socketio {
namespace {

void add(boost::json::object& object, std::string_view key, std::string_view text) {
  if (!text.empty()) object[key] = text;
}

std::string javascript_date(
    std::int64_t ms) {  // "Fri Nov 27 2026 00:16:27 GMT+0000 (Coordinated Universal Time)"
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[80];
  const std::size_t size =
      std::strftime(text, sizeof text, "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)", &utc);
  return {text, size};
}

// Without its port, and without brackets.
std::string_view host_of(std::string_view address) {
  address = address.substr(0, address.rfind(':'));
  return address.starts_with('[') ? address.substr(1, address.size() - 2) : address;
}

}  // namespace

boost::json::value handshake_json(const Socket& socket) {
  const engine::Handshake& handshake = socket.handshake();
  boost::json::object headers;
  add(headers, "user-agent", handshake.user_agent());
  add(headers, "origin", handshake.origin());
  add(headers, "cookie", handshake.cookie());
  add(headers, "x-forwarded-for", handshake.forwarded_for());
  return boost::json::object{
      {"headers", std::move(headers)},
      {"time", javascript_date(handshake.time_ms())},
      {"address", host_of(handshake.address())},
      {"xdomain", !handshake.origin().empty()},
      {"secure", handshake.secure()},
      {"issued", handshake.time_ms()},
      {"url", handshake.target()},
      {"query", split_namespace(handshake.target()).query},
      {"auth", socket.auth()},
  };
}

}  // namespace limpet::socketio
