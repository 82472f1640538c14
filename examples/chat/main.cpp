// A chat: one page, one process, everyone who is there. It serves its page and, from a folder such as
// node_modules/socket.io-client/dist, the official client that the page loads.
//
//   chat-node FOLDER [PORT]       # 127.0.0.1:3000; 0: a port that the kernel chooses
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
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

// The page, as it was when the program started.
class Page final : public http::Handler {
 public:
  Page() {
    std::ifstream in(CHAT_PAGE, std::ios::binary);
    body_.assign(std::istreambuf_iterator<char>(in), {});
  }
  void on_request(http::Exchange& exchange) override {
    const bool found = exchange.head().path == "/" && !body_.empty();
    exchange.answer({.status = found ? 200 : 404,
                     .content_type = "text/html; charset=utf-8",
                     .body = found ? std::string_view(body_) : "not found\n"});
  }

 private:
  std::string body_;
};

std::string name_of(const Socket& socket) {
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

int serve(const char* folder, std::uint16_t port) {
  net::Loop loop;
  http::Server http(loop, {});
  Page page;
  http.route("/", page);

  socketio::Options options;
  options.engine.node_id = "chat";
  options.limits.events_per_second = 50;
  options.serve_client = folder;
  socketio::Server io(loop, http, options);
  serve_chat(io);

  net::BoundListener listener =
      net::bind_listener(net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), port), 1);
  if (!listener.error.empty()) throw std::runtime_error("cannot listen on " + listener.error);
  std::printf("listening on %s\n", listener.address.text().c_str());
  std::fflush(stdout);
  http.listen(std::move(listener.sockets.front()));
  net::Signals signals(loop, {SIGINT, SIGTERM}, [&](int) {
    io.close();
    loop.stop();
  });
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 3000;
  const auto is_port = [&port](std::string_view word) {
    const auto [end, error] = std::from_chars(word.begin(), word.end(), port);
    return error == std::errc{} && end == word.end();
  };
  if (argc < 2 || argc > 3 || (argc == 3 && !is_port(argv[2])))
    return std::fputs("usage: chat-node node_modules/socket.io-client/dist [PORT]\n", stderr), 2;
  net::hold_signals({SIGINT, SIGTERM});
  try {
    return serve(argv[1], port);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "chat-node: %s\n", error.what());
    return 1;
  }
}
