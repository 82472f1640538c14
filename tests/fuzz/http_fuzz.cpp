// A connection of the node's HTTP server: whatever comes, in whatever pieces, the same requests and bodies
// reach the handler, and nothing is called or kept that has gone.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <string>
#include <vector>

#include "backend/http/server.h"
#include "proxy/wire/websocket.h"

using namespace limpet;

namespace {

// The target's second letter says what is done.
struct Doer final : http::Handler, http::Watcher {
  std::vector<std::string> seen;
  http::Exchange* open = nullptr;

  void on_request(http::Exchange& exchange) override {
    open = &exchange;
    exchange.watch(this);
    const std::string target(exchange.head().target);
    seen.push_back(target);
    switch (target.size() > 1 ? target[1] : ' ') {
      case 'b': return exchange.read_body(32);
      case 'w': return;  // the client's going ends it
      case 'd': open = nullptr; return exchange.destroy();
      case 'u':
        if (!wire::check_handshake(exchange.head()) && exchange.head().upgrade) {
          open = nullptr;
          exchange.upgrade("");
          return;
        }
        break;
      default: break;
    }
    answer();
  }
  void on_body(std::string_view body) override {
    seen.emplace_back(body);
    answer();
  }
  void on_body_too_large() override {
    seen.emplace_back("too large");
    answer();
  }
  void on_gone() override { open = nullptr; }
  void answer() { std::exchange(open, nullptr)->answer({.content_type = "text/plain", .body = "ok"}); }
};

std::vector<std::string> serve(std::string_view bytes, std::size_t piece) {
  net::Loop loop;
  Doer doer;
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return {};
  const net::Fd far(pair[1]);
  const auto turns = [&] {
    for (int i = 0; i < 3; ++i) {
      loop.post([&] { loop.stop(); });
      loop.run();
    }
  };
  {
    http::Server server(loop, {});
    server.route("", doer);
    server.adopt(net::Fd(pair[0]), *net::Address::unix_socket("/x"));
    turns();
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, piece);
      if (::send(far.get(), part.data(), part.size(), MSG_NOSIGNAL) < 0) break;
      bytes.remove_prefix(part.size());
      turns();
      char answers[4096];
      while (::recv(far.get(), answers, sizeof(answers), 0) > 0) {
      }
    }
  }
  assert(doer.open == nullptr);
  return doer.seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 2048) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = serve(bytes, bytes.size());
  const auto pieces = serve(bytes, std::max<std::size_t>(bytes.size() / 64, 1 + data[0] % 64U));
  assert(whole == pieces);
  return 0;
}
