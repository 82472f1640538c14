// A plain WebSocket server on libraries of limpet: echo, or topics (backend/raw/endpoint.h says what clients
// write).
//
//   raw-websocket [--topics] [PORT]        # 127.0.0.1:9001, every path; 0: a port that the kernel chooses
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "backend/http/server.h"
#include "backend/raw/endpoint.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/net/signals.h"

using namespace limpet;

namespace {

// Everybody is told to go, within a second, and has two more to do so.
struct Shutdown {
  void begin() {
    endpoint.drain(1'000);
    deadline_ms = net::now_ms() + 3'000;
    look();
  }
  void look() {
    if (endpoint.connections() == 0 || net::now_ms() > deadline_ms) return loop.stop();
    tick.after(20);
  }
  net::Loop& loop;
  raw::Endpoint& endpoint;
  std::uint64_t deadline_ms = 0;
  net::Timer tick{loop, net::delegate<&Shutdown::look>(this)};
};

}  // namespace

int main(int argc, char** argv) {
  raw::Options options;
  options.path = "";  // any
  std::uint16_t port = 9001;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--topics") {
      options.mode = raw::Mode::topics;
      continue;
    }
    const auto [end, error] = std::from_chars(word.begin(), word.end(), port);
    if (error == std::errc{} && end == word.end()) continue;
    std::fputs("usage: raw-websocket [--topics] [PORT]\n", stderr);
    return 2;
  }

  net::hold_signals({SIGINT, SIGTERM});
  net::Loop loop;
  raw::Endpoint endpoint(loop, options);
  http::Server server(loop, {});
  server.route("", endpoint);

  const auto address = net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), port);
  net::BoundListener listener = net::bind_listener(address, 1);
  if (!listener.error.empty()) {
    std::fprintf(stderr, "%s\n", listener.error.c_str());
    return 1;
  }
  server.listen(std::move(listener.sockets[0]));
  std::printf("ws://%s\n", listener.address.text().c_str());
  std::fflush(stdout);

  Shutdown shutdown{loop, endpoint};
  const net::Signals signals(loop, {SIGINT, SIGTERM}, [&](int) {
    if (shutdown.deadline_ms > 0) return loop.stop();  // the second one
    server.stop_accepting();
    shutdown.begin();
  });
  loop.run();
}
