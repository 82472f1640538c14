#include "backend/presence/store.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <charconv>

namespace limpet::presence {

Life Life::named(std::string_view name) {
  return {std::string(name), std::string(name.substr(0, name.rfind('/')))};
}

std::string entry_of(std::string_view server, std::uint64_t at) {
  return "{\"serverId\":" + boost::json::serialize(boost::json::string(server)) +
         ",\"connectedAt\":" + std::to_string(at) + "}";
}

std::string member_of(const Socket& socket) {
  return std::to_string(socket.at) + " " + socket.user;
}

Socket socket_of(std::string_view id, std::string_view member) {
  Socket socket;
  socket.id = id;
  const char* end = member.data() + member.size();
  const auto [rest, error] = std::from_chars(member.data(), end, socket.at);
  if (error == std::errc() && rest != end && *rest == ' ') socket.user.assign(rest + 1, end);
  return socket;
}

}  // namespace limpet::presence
