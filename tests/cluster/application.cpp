#include "tests/cluster/application.h"

#include <boost/json/object.hpp>
#include <functional>
#include <utility>

namespace limpet::cluster_test {

namespace json = boost::json;
using socketio::Args;
using socketio::Namespace;
using socketio::Socket;
using Reply = std::function<void(const Args&)>;

Application::Application(socketio::Server& io, std::string id, bool greets)
    : id_(std::move(id)), greets_(greets) {
  io.on_new_namespace([this](Namespace& nsp) { serve(nsp); });
  serve(io.of("/"));
  auto& dynamic = io.of_pattern("^/dynamic-\\d+$");
  if (greets_) dynamic.on_connection([](Socket& socket) { socket.emit("welcome"); });
}

json::array Application::take_heard() {
  return std::exchange(heard_, {});
}

void Application::hear(std::string_view nsp, std::string_view event, const Args& args) {
  json::array all{nsp, event};
  all.insert(all.end(), args.values().begin(), args.values().end());
  heard_.push_back(std::move(all));
}

void Application::serve(Namespace& nsp) {
  const std::string name(nsp.name());
  if (greets_ && !name.starts_with("/dynamic-")) {
    nsp.on_connection([](Socket& socket) { socket.emit("welcome"); });
  }
  nsp.on_server_event("note", [this, name](const Args& args, const Reply&) { hear(name, "note", args); });
  nsp.on_server_event("silent", [this, name](const Args& args, const Reply&) { hear(name, "silent", args); });
  nsp.on_server_event("ask", [this, name](const Args& args, const Reply& reply) {
    hear(name, "ask", args);
    json::object answer{{"node", id_}, {"got", args.values()}};
    if (reply) reply(Args(json::array{std::move(answer)}, args.binaries()));
  });
  nsp.on_server_event("twice", [this, name](const Args& args, const Reply& reply) {
    hear(name, "twice", args);
    if (!reply) return;
    reply(Args{id_});
    reply(Args{"again"});
  });
}

}  // namespace limpet::cluster_test
