// The server that the Engine.IO suite wants: an echo.
#include "backend/engine/server.h"
#include "tests/conformance/serve.h"

namespace {

using namespace limpet;

class Echo final : public engine::Receiver {
 public:
  explicit Echo(engine::Session& session) : session_(session) {}
  void on_message(engine::Kind kind, std::string_view data) override {
    session_.send(engine::packet_of(kind, {data}));
  }
  void on_close(engine::Reason) override { delete this; }

 private:
  engine::Session& session_;
};

struct Echoes final : engine::Application {
  engine::Receiver* on_open(engine::Session& session) override { return new Echo(session); }
};

struct Served {
  Echoes echoes;
  engine::Server server;
  Served(net::Loop& loop, http::Server& http, const engine::Options& options)
      : server(loop, http, options, echoes) {}
  ~Served() { server.close_all(); }  // each Echo is its own owner
};

}  // namespace

int main(int argc, char** argv) {
  return conformance::serve(argc, argv, "/engine.io/", [](auto& loop, auto& http, const auto& settings) {
    return std::make_shared<Served>(loop, http, settings.options.engine);
  });
}
