// A chat: one page, one process, everyone who is there. It serves its page and, if it is told where to find
// one, the official client that the page loads.
//
//   chat-node [PORT [PATH/TO/socket.io.min.js]]       # 127.0.0.1:3000; 0: a port that the kernel chooses
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "backend/http/server.h"
#include "backend/socketio/server.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/net/signals.h"

using namespace limpet;
using socketio::Ack;
using socketio::Args;
using socketio::Socket;

namespace {

// One file, as it was when the program started.
class File final : public http::Handler {
 public:
  File(const char* path, const char* type) : type_(type) {
    std::ifstream in(path, std::ios::binary);
    body_.assign(std::istreambuf_iterator<char>(in), {});
  }
  void on_request(http::Exchange& exchange) override {
    exchange.answer({.status = body_.empty() ? 404 : 200, .content_type = type_, .body = body_});
  }

 private:
  std::string body_;
  const char* type_;
};

std::string name_of(Socket& socket) {
  return std::string(socket.data().at("name").as_string());
}

// Whoever joins says a name; what they say goes to their room, or to everyone.
void serve_chat(socketio::Server& io) {
  io.use([](Socket& socket) -> std::optional<socketio::Refusal> {
    const auto* name = socket.auth().if_contains("name");
    if (name == nullptr || !name->is_string() || name->get_string().empty() || name->get_string().size() > 40)
      return socketio::Refusal{"a name, please", {{"longest", 40}}};
    socket.data() = boost::json::object{{"name", *name}};
    return std::nullopt;
  });
  io.on_connection([](Socket& socket) {
    socket.join("lobby");
    socket.to("lobby").emit("joined", name_of(socket));
  });
  io.on("say", [](Socket& socket, const Args& args, const Ack& ack) {
    const boost::json::string& text =
        args[0].as_string();  // throws for anything else, which ends this event alone
    if (text.size() > 1000) return ack("too long");
    socket.to("lobby").emit("said", name_of(socket), text);
    ack(nullptr);
  });
  io.on("who", [](Socket& socket, const Args&, const Ack& ack) -> socketio::Task<> {
    const socketio::Found found = co_await socket.nsp().in("lobby").fetch_sockets();
    boost::json::array names;
    for (const auto& one : found.sockets) names.push_back(one.data.at("name"));
    ack(std::move(names));
  });
  io.on_disconnect(
      [](Socket& socket, std::string_view) { socket.nsp().to("lobby").emit("left", name_of(socket)); });
}

}  // namespace

int main(int argc, char** argv) {
  net::hold_signals({SIGINT, SIGTERM});
  net::Loop loop;
  http::Server http(loop, {});
  File page(CHAT_PAGE, "text/html; charset=utf-8");
  File client(argc > 2 ? argv[2] : "", "text/javascript");
  http.route("/", page);
  http.route("/socket.io.min.js", client);

  socketio::Options options;
  options.engine.node_id = "chat";
  options.limits.events_per_second = 50;
  socketio::Server io(loop, http, options);
  serve_chat(io);

  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 3000);
  net::BoundListener listener =
      net::bind_listener(net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), port), 1);
  if (!listener.error.empty()) {
    std::fprintf(stderr, "%s\n", listener.error.c_str());
    return 1;
  }
  std::printf("listening on %s\n", listener.address.text().c_str());
  std::fflush(stdout);
  http.listen(std::move(listener.sockets.front()));
  net::Signals signals(loop, {SIGINT, SIGTERM}, [&](int) {
    io.close();
    loop.stop();
  });
  loop.run();
}
