// What comes back to a node that has asked, and how it is read.
#include <utility>

#include "backend/cluster/family.h"

namespace limpet::cluster {
namespace {

// {requestId, packet}: the value alone, with its bytes.
codec::Args value_of(family::Incoming& said) {
  boost::json::array values;
  boost::json::value* packet = said.data.values()[0].get_object().if_contains("packet");
  values.push_back(packet != nullptr ? std::move(*packet) : boost::json::value());
  return codec::Args(std::move(values), said.data.take_binaries());
}

bool text_in(const boost::json::object& data, std::string_view key, std::string& text) {
  const boost::json::value* value = data.if_contains(key);
  if (value == nullptr || !value->is_string()) return false;
  text = value->get_string();
  return true;
}

}  // namespace

bool Family::on_answer(family::Incoming& said) {
  boost::json::object& data = said.data.values()[0].get_object();
  if (said.type == family::Type::superseded) {
    std::string sid, pid;
    if (!text_in(data, "sid", sid) || !text_in(data, "pid", pid)) return false;
    on_superseded(sid, pid);
    return true;
  }
  std::string request;
  if (!family::read_request(data, request) || request.empty()) return false;
  if (said.type == family::Type::clients_asked) {
    const auto count = count_in(data.if_contains("clientCount"));
    return count && requests_.on_clients(request, *count);
  }
  if (said.type == family::Type::client_answer) return requests_.on_ack(request, value_of(said));
  if (said.type == family::Type::server_answer) return requests_.on_answer(request, value_of(said));
  auto sockets = take_sockets(data.if_contains("sockets"), said.data);
  return sockets && requests_.on_sockets(request, std::move(*sockets));
}

}  // namespace limpet::cluster
