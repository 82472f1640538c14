// The server that the Socket.IO suite wants.
#include "backend/socketio/server.h"
#include "tests/conformance/serve.h"

using namespace limpet;
using socketio::Ack;
using socketio::Args;
using socketio::Socket;

int main(int argc, char** argv) {
  return conformance::serve(argc, argv, "/socket.io/", [](auto& loop, auto& http, const auto& settings) {
    auto io = std::make_shared<socketio::Server>(loop, http, settings.options);
    for (const char* name : {"/", "/custom"}) {
      auto& nsp = io->of(name);
      nsp.on_connection([](Socket& socket) { socket.emit("auth", socket.auth()); });
      nsp.on("message", [](Socket& socket, const Args& args) { socket.emit("message-back", args); });
      nsp.on("message-with-ack", [](const Args& args, const Ack& ack) { ack(args); });
    }
    return io;
  });
}
