#include "tests/cluster/control.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "backend/cluster/room_name.h"

namespace limpet::cluster_test {
namespace {

namespace json = boost::json;
using socketio::Ack;
using socketio::Args;
using socketio::Broadcast;
using socketio::Namespace;
using socketio::Socket;

// Of rooms, some of which may be numbers.
std::vector<std::string> names(const json::value& list) {
  return cluster::room_names(&list).value();
}

Namespace& namespace_of(socketio::Server& io, const json::value& choice) {
  const json::value* name = choice.as_object().if_contains("nsp");
  return io.of(name != nullptr ? std::string_view(name->as_string()) : "/");
}

Socket& socket_of(Namespace& nsp, const json::value& id) {
  Socket* socket = nsp.find(id.as_string());
  if (socket == nullptr) throw std::runtime_error("no such socket");
  return *socket;
}

Broadcast chosen(socketio::Server& io, const json::value& choice) {
  const json::object& wanted = choice.as_object();
  Namespace& nsp = namespace_of(io, choice);
  const json::value* from = wanted.if_contains("from");
  Broadcast all = from != nullptr ? socket_of(nsp, *from).broadcast() : Broadcast(nsp);
  if (const json::value* to = wanted.if_contains("to")) {
    for (const std::string& room : names(*to)) all = all.to(room);
  }
  if (const json::value* except = wanted.if_contains("except")) {
    for (const std::string& room : names(*except)) all = all.except(room);
  }
  if (const json::value* flags = wanted.if_contains("flags")) {
    for (const std::string& flag : names(*flags)) {
      all = flag == "volatile" ? all.volatile_() : flag == "local" ? all.local() : all.compress(true);
    }
  }
  if (const json::value* timeout = wanted.if_contains("timeout")) {
    all = all.timeout(timeout->to_number<std::uint64_t>());
  }
  return all;
}

// What is left of `args` without the first `count`.
Args after(const Args& args, std::size_t count) {
  json::array rest(args.values().begin() + static_cast<std::ptrdiff_t>(count), args.values().end());
  return Args(std::move(rest), args.binaries());
}

json::value or_null(std::string_view error) {
  return error.empty() ? json::value() : json::value(error);
}

// Answers become one array, in front of which `first` is told.
Args told(json::value first, const Args& answers) {
  return Args(json::array{json::object{{"error", std::move(first)}, {"answers", answers.values()}}},
              answers.binaries());
}

}  // namespace

Control::Control(net::Loop& loop, http::Server& http, Node node)
    : node_(std::move(node)), server_(loop, http, [] {
        socketio::Options options;
        options.engine.path = "/socket.io/";
        options.engine.node_id = "control";
        options.engine.max_payload = 16 * 1024 * 1024;
        return options;
      }()) {
  add_emits();
  add_questions();
  add_sweeps();
  add_sockets();
  add_state();
}

void Control::add_emits() {
  server_.on("emit", [this](const Args& args, const Ack& ack) {
    chosen(node_.io, args[0]).emit(args[1].as_string(), after(args, 2));
    ack();
  });
  // Many at once: 0, 1, 2, ...
  server_.on("burst", [this](const Args& args, const Ack& ack) {
    const Broadcast all = chosen(node_.io, args[0]);
    const auto count = args[2].to_number<std::uint64_t>();
    for (std::uint64_t i = 0; i < count; ++i) all.emit(args[1].as_string(), i, after(args, 3)[0]);
    ack();
  });
  server_.on("single", [this](const Args& args, const Ack& ack) {
    socket_of(namespace_of(node_.io, args[0]), args[1]).emit(args[2].as_string(), after(args, 3));
    ack();
  });
  server_.on("serverEmit", [this](const Args& args, const Ack& ack) {
    namespace_of(node_.io, args[0]).server_side_emit(args[1].as_string(), after(args, 2));
    ack();
  });
}

void Control::add_questions() {
  server_.on("emitAsk", [this](const Args& args, const Ack& ack) {
    chosen(node_.io, args[0])
        .emit_with_ack(args[1].as_string(), after(args, 2), [ack](const socketio::Replies& replies) {
          ack(told(replies.complete ? json::value() : json::value("incomplete"), replies.answers));
        });
  });
  server_.on("serverAsk", [this](const Args& args, const Ack& ack) {
    namespace_of(node_.io, args[0])
        .server_side_emit(
            args[1].as_string(), after(args, 2),
            [ack](std::string_view error, const Args& answers) { ack(told(or_null(error), answers)); });
  });
  server_.on("fetch", [this](const Args& args, const Ack& ack) {
    chosen(node_.io, args[0]).fetch_sockets([ack](const socketio::Found& found) {
      json::array sockets;
      for (const auto& one : found.sockets) {
        sockets.push_back(json::object{{"id", one.id},
                                       {"handshake", one.handshake},
                                       {"rooms", json::array(one.rooms.begin(), one.rooms.end())},
                                       {"data", one.data}});
      }
      ack(json::object{{"error", or_null(found.error)}, {"sockets", std::move(sockets)}});
    });
  });
}

void Control::add_sweeps() {
  server_.on("join", [this](const Args& args, const Ack& ack) {
    chosen(node_.io, args[0]).sockets_join(names(args[1]));
    ack();
  });
  server_.on("leave", [this](const Args& args, const Ack& ack) {
    chosen(node_.io, args[0]).sockets_leave(names(args[1]));
    ack();
  });
  server_.on("kick", [this](const Args& args, const Ack& ack) {
    chosen(node_.io, args[0]).disconnect_sockets(args[1].as_bool());
    ack();
  });
}

// Of sockets of this node.
void Control::add_sockets() {
  server_.on("seat", [this](const Args& args, const Ack& ack) {
    Socket& socket = socket_of(namespace_of(node_.io, args[0]), args[1]);
    for (const std::string& room : names(args[2])) socket.join(room);
    ack();
  });
  server_.on("data", [this](const Args& args, const Ack& ack) {
    socket_of(namespace_of(node_.io, args[0]), args[1]).data() = args[2];
    ack();
  });
  server_.on("self", [this](const Args& args, const Ack& ack) {
    Socket& socket = socket_of(namespace_of(node_.io, args[0]), args[1]);
    const std::vector<std::string> rooms = socket.rooms();
    ack(json::object{{"rooms", json::array(rooms.begin(), rooms.end())},
                     {"data", std::as_const(socket).data()},
                     {"recovered", socket.recovered()}});
  });
}

void Control::add_state() {
  server_.on("heard", [this](const Args&, const Ack& ack) { ack(node_.application.take_heard()); });
  server_.on("state", [this](const Args&, const Ack& ack) {
    const cluster::Totals& cluster = *node_.tally;
    const redis::Totals redis = node_.redis.totals();
    const socketio::Totals io = node_.io.totals();
    ack(json::object{{"up", node_.redis.up()},
                     {"malformed", cluster.malformed},
                     {"publishesFailed", redis.publishes_failed},
                     {"pendingBytes", redis.pending_bytes},
                     {"sockets", io.sockets},
                     {"exceptions", io.exceptions}});
  });
}

}  // namespace limpet::cluster_test
