// An application that does on request what Socket.IO can do; control/app_server.mjs is the same on Node.js.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <list>
#include <map>
#include <utility>

#include "backend/socketio/server.h"
#include "proxy/net/loop.h"
#include "tests/conformance/serve.h"

namespace {

using namespace limpet;
namespace json = boost::json;
using socketio::Ack;
using socketio::Args;
using socketio::Broadcast;
using socketio::Socket;

// Rooms but a socket's own, whose name is random.
json::array rooms_of(std::vector<std::string> rooms, std::string_view own) {
  std::erase(rooms, own);
  std::sort(rooms.begin(), rooms.end());
  return json::array(rooms.begin(), rooms.end());
}
json::array rooms_of(const Socket& socket) {
  return rooms_of(socket.rooms(), socket.id());
}

// Who answers first is chance.
json::array sorted(json::array values) {
  std::vector<json::value> list(values.begin(), values.end());
  std::sort(list.begin(), list.end(),
            [](const auto& a, const auto& b) { return json::serialize(a) < json::serialize(b); });
  return json::array(list.begin(), list.end());
}

std::vector<std::string> names(const json::value& list) {
  return json::value_to<std::vector<std::string>>(list);
}

// {"to": [rooms], "except": [rooms], "flags": ["volatile", "local", "compress"]}
Broadcast chosen(Broadcast choice, const json::value& wanted) {
  const json::object& object = wanted.as_object();
  if (const auto* to = object.if_contains("to")) {
    for (const auto& room : names(*to)) choice = choice.to(room);
  }
  if (const auto* except = object.if_contains("except")) {
    for (const auto& room : names(*except)) choice = choice.except(room);
  }
  if (const auto* flags = object.if_contains("flags")) {
    for (const auto& flag : names(*flags)) {
      choice = flag == "volatile" ? choice.volatile_()
               : flag == "local"  ? choice.local()
                                  : choice.compress(true);
    }
  }
  return choice;
}
Broadcast all(Socket& socket, const json::value& wanted) {
  return chosen(Broadcast(socket.nsp()), wanted);
}

// What is left of `args` without the first `count`.
Args after(const Args& args, std::size_t count) {
  json::array rest(args.values().begin() + static_cast<std::ptrdiff_t>(count), args.values().end());
  return Args(std::move(rest), args.binaries());
}
std::string_view text(const json::value& value) {
  return value.as_string();
}

void add_echo(socketio::Handlers& on) {
  on.on("echo", [](Socket& socket, const Args& args, const Ack& ack) {
    if (ack) return ack(args);
    socket.emit("echo", args);
  });
  on.on("thrice", [](const Args&, const Ack& ack) {
    for (int i = 1; i <= 3; ++i) ack(i);
  });
  on.on("forbidden", [](Socket& socket, const Args& args, const Ack& ack) {
    try {
      socket.emit(text(args[0]));
      ack("sent");
    } catch (const std::invalid_argument&) {
      ack("refused");
    }
  });
  on.on("bye",
        [](Socket& socket, const Args& args) { socket.disconnect(args[0].is_bool() && args[0].as_bool()); });
}

void add_rooms(socketio::Handlers& on) {
  on.on("join", [](Socket& socket, const Args& args, const Ack& ack) {
    socket.join(text(args[0]));
    ack(rooms_of(socket));
  });
  on.on("leave", [](Socket& socket, const Args& args, const Ack& ack) {
    socket.leave(text(args[0]));
    ack(rooms_of(socket));
  });
  on.on("note", [](Socket& socket, const Args& args, const Ack& ack) {
    socket.data() = args[0];
    ack(args[0]);
  });
  on.on("self", [](Socket& socket, const Args&, const Ack& ack) {
    ack(json::object{{"rooms", rooms_of(socket)},
                     {"data", std::as_const(socket).data()},
                     {"recovered", socket.recovered()}});
  });
}

void add_broadcasts(socketio::Handlers& on) {
  on.on("others", [](Socket& socket, const Args& args) {
    chosen(socket.broadcast(), args[0]).emit(text(args[1]), after(args, 2));
  });
  on.on("all",
        [](Socket& socket, const Args& args) { all(socket, args[0]).emit(text(args[1]), after(args, 2)); });
  on.on("ask", [](Socket& socket, const Args& args) {
    socket.emit_with_ack(text(args[1]), after(args, 2), args[0].to_number<std::uint64_t>(),
                         [who = socketio::SocketPtr(&socket)](const socketio::Reply& reply) {
                           Args told = reply.args;
                           json::value error;
                           if (!reply.ok()) error = socketio::text_of(reply.failure);
                           told.values().insert(told.values().begin(), error);
                           who->emit("answered", told);
                         });
  });
  on.on("askRooms", [](Socket& socket, const Args& args) {
    all(socket, args[0])
        .timeout(args[1].to_number<std::uint64_t>())
        .emit_with_ack(text(args[2]), after(args, 3),
                       [who = socketio::SocketPtr(&socket)](const socketio::Replies& replies) {
                         Args told(json::array{replies.complete, sorted(replies.answers.values())});
                         who->emit("answers", told);
                       });
  });
}

void add_sweeps(socketio::Handlers& on) {
  on.on("find", [](Socket& socket, const Args& args, const Ack& ack) {
    all(socket, args[0]).fetch_sockets([ack](const socketio::Found& found) {
      json::array seen;
      for (const auto& one : found.sockets) {
        seen.push_back(json::object{{"rooms", rooms_of(one.rooms, one.id)}, {"data", one.data}});
      }
      ack(sorted(std::move(seen)));
    });
  });
  on.on("sweepIn",
        [](Socket& socket, const Args& args) { all(socket, args[0]).sockets_join(names(args[1])); });
  on.on("sweepOut",
        [](Socket& socket, const Args& args) { all(socket, args[0]).sockets_leave(names(args[1])); });
  on.on("kick",
        [](Socket& socket, const Args& args) { all(socket, args[0]).disconnect_sockets(args[1].as_bool()); });
}

void prepare(socketio::Handlers& on) {
  on.on_connection([](Socket& socket) { socket.emit("welcome", socket.auth()); });
  add_echo(on);
  add_rooms(on);
  add_broadcasts(on);
  add_sweeps(on);
  // Rooms are gone when the second event comes.
  auto left = std::make_shared<std::map<std::string, json::array, std::less<>>>();
  on.on_disconnecting([left](Socket& socket, std::string_view reason) {
    (*left)[std::string(socket.id())] = {reason, rooms_of(socket)};
  });
  on.on_disconnect([left](Socket& socket, std::string_view reason) {
    json::array told = std::move((*left)[std::string(socket.id())]);
    left->erase(std::string(socket.id()));
    told.insert(told.begin(), json::value(json::string(reason)));
    told.push_back(rooms_of(socket));
    socket.nsp().to("watchers").emit("left", Args(std::move(told)));
  });
}

std::optional<socketio::Refusal> refusal_of(const Socket& socket) {
  const auto* why = socket.auth().if_contains("refusal");
  if (why == nullptr) return std::nullopt;
  const auto* data = socket.auth().if_contains("data");
  return socketio::Refusal{std::string(text(*why)), data != nullptr ? *data : json::value()};
}

// A middleware that takes its time.
class Slow {
 public:
  explicit Slow(net::Loop& loop) : loop_(loop) {}
  void operator()(Socket& socket, socketio::Next next) { hold(refusal_of(socket), std::move(next)); }
  void hold(std::optional<socketio::Refusal> refusal, socketio::Next next) {
    waiting_.push_back(std::make_unique<Wait>(loop_, std::move(refusal), std::move(next)));
  }

 private:
  struct Wait {
    Wait(net::Loop& loop, std::optional<socketio::Refusal> why, socketio::Next then)
        : refusal(std::move(why)), next(std::move(then)), timer(loop, net::delegate<&Wait::over>(this)) {
      timer.after(30);
    }
    void over() { refusal ? next(std::move(*refusal)) : next(); }
    std::optional<socketio::Refusal> refusal;
    socketio::Next next;
    net::Timer timer;
  };
  net::Loop& loop_;
  std::list<std::unique_ptr<Wait>> waiting_;
};

// Who joins /held waits until somebody lets him in.
void add_held(socketio::Server& io) {
  struct Held {
    std::vector<socketio::Next> waiting;
    Ack arrival;
  };
  const auto held = std::make_shared<Held>();
  io.of("/held").use([held](Socket&, socketio::Next next) {
    held->waiting.push_back(std::move(next));
    std::exchange(held->arrival, {})();
  });
  io.on("someoneWaits", [held](const Args&, const Ack& ack) {
    if (held->waiting.empty())
      held->arrival = ack;
    else
      ack();
  });
  io.on("letIn", [held](const Args&, const Ack& ack) {
    for (const socketio::Next& next : std::exchange(held->waiting, {})) next();
    ack();
  });
  io.on("allHeld", [](Socket& socket, const Args& args) {
    socket.server().of("/held").to("room").emit(text(args[0]), after(args, 1));
  });
}

// Events on their way in and out.
struct Notes {
  json::array in, out;
};

json::array shown(json::array first, const Args& args) {
  for (const json::value& value : args.values()) {
    const std::string* bytes = args.binary(value);
    first.push_back(bytes != nullptr ? json::value(std::to_string(bytes->size()) + " bytes") : value);
  }
  return first;
}

void look_first(const std::shared_ptr<Notes>& notes, Slow& slow, socketio::Incoming& event,
                socketio::Next next) {
  if (event.name != "pass") return next();
  notes->in.push_back(shown({"first"}, event.args));
  const json::value verb = event.args[0];
  if (verb == "refuse") return next({"refused", json::object{{"verb", verb}}});
  if (verb == "refuse plainly") return next({"refused plainly", nullptr});
  if (verb == "drop") return;
  if (verb == "wait") return slow.hold(std::nullopt, std::move(next));
  if (verb == "answer") return event.ack("the first has answered");
  if (verb == "rename") {
    event.name = "renamed";
    event.args.values()[0] = "changed";
  }
  next();
}

void add_passing(Socket& socket, const std::shared_ptr<Notes>& notes, Slow& slow) {
  socket.use([notes, &slow](socketio::Incoming& event, socketio::Next next) {
    look_first(notes, slow, event, std::move(next));
  });
  socket.use([notes](socketio::Incoming& event) -> std::optional<socketio::Refusal> {
    if (event.name == "pass" || event.name == "renamed")
      notes->in.push_back(json::array{"second", event.name, event.args[0]});
    return std::nullopt;
  });
  socket.on_error(
      [](Socket& who, const socketio::Refusal& why) { who.emit("failed", why.message, why.data); });
  socket.on_any([notes](Socket&, std::string_view name, const Args& args) {
    if (name == "pass") notes->in.push_back(shown({"any"}, args));
  });
  for (const char* name : {"pass", "renamed"}) {
    socket.on(name, [notes, name](Socket& who, const Args& args, const Ack& ack) {
      notes->in.push_back(shown({name}, args));
      if (ack) return ack(name);
      Args told = args;
      told.values().insert(told.values().begin(), name);
      who.emit("passed", told);
    });
  }
  socket.once("first", [](Socket& who) { who.emit("heard the first"); });
}

void add_passing(socketio::Namespace& nsp, Slow& slow) {
  nsp.on_connection([&slow](Socket& socket) {
    const auto notes = std::make_shared<Notes>();
    add_passing(socket, notes, slow);
    socket.on("deaf", [](Socket& who, const Args&, const Ack& ack) {
      who.off_any();
      ack();
    });
    socket.on("watch", [notes](Socket& who, const Args&, const Ack& ack) {
      who.on_any_outgoing([notes](Socket&, std::string_view event, const Args& args) {
        notes->out.push_back(shown({event}, args));
      });
      ack();
    });
    socket.on("unwatch", [](Socket& who, const Args&, const Ack& ack) {
      who.off_any_outgoing();
      ack();
    });
    socket.on("volatile", [](Socket& who, const Args&, const Ack& ack) {
      who.emit_volatile("news", "volatile");
      ack();
    });
    socket.on("notes", [notes](const Args& args, const Ack& ack) {
      ack(std::exchange(args[0] == "in" ? notes->in : notes->out, {}));
    });
  });
}

// Who still waits goes before the server that waits for him: a Next keeps what its namespace is made of.
struct Served {
  socketio::Server io;
  Slow slow;
  Served(net::Loop& loop, http::Server& http, const socketio::Options& options)
      : io(loop, http, options), slow(loop) {}
};

std::shared_ptr<void> begin(net::Loop& loop, http::Server& http, const conformance::Settings& settings) {
  auto served = std::make_shared<Served>(loop, http, settings.options);
  auto* io = &served->io;
  for (const char* name : {"/", "/custom", "/guarded", "/slow"}) prepare(io->of(name));
  io->of("/guarded").use([](Socket& socket) { return refusal_of(socket); });
  io->of("/slow").use(
      [slow = &served->slow](Socket& socket, socketio::Next next) { (*slow)(socket, std::move(next)); });
  auto& dynamic = io->of_pattern("^/dynamic-\\d+$");
  prepare(dynamic);
  for (const char* name : {"/", "/custom"}) {
    io->of(name).on("toChildren",
                    [&dynamic](Socket&, const Args& args) { dynamic.emit(text(args[0]), after(args, 1)); });
  }
  io->of("/dynamic-0");  // its child as well, though no client has asked for it yet
  prepare(io->of("/passing"));
  add_passing(io->of("/passing"), served->slow);
  prepare(io->of("/held"));
  add_held(*io);
  prepare(io->of([](std::string_view name, const json::value& auth, socketio::Server::Verdict verdict) {
    const auto* object = auth.if_object();
    const auto* token = object != nullptr ? object->if_contains("token") : nullptr;
    verdict(name.starts_with("/asked-") && token != nullptr && *token == "good");
  }));
  return served;
}

}  // namespace

int main(int argc, char** argv) {
  return conformance::serve(argc, argv, "/socket.io/", begin);
}
