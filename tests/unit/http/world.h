// A server on a loopback port, clients on real sockets, one loop that runs until the test has seen what it
// waits for.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/http/server.h"

namespace limpet::http {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

class Client {
 public:
  explicit Client(const net::Address& server)
      : fd_(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::connect(fd_.get(), server.raw(), server.length()), 0);
  }
  void send(std::string_view bytes) {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void shut() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }
  int fd() const { return fd_.get(); }
  // Takes in what has come.
  void look() {
    char into[65536];
    while (!ended_ && fd_) {
      const ssize_t got = ::recv(fd_.get(), into, sizeof(into), MSG_DONTWAIT);
      if (got > 0) {
        seen.append(into, static_cast<std::size_t>(got));
        continue;
      }
      if (got == 0) ended_ = true;
      if (got < 0 && errno == ECONNRESET) ended_ = reset_ = true;
      return;
    }
  }
  bool ended() const { return ended_; }
  bool was_reset() const { return reset_; }
  bool has(std::string_view text) const { return seen.find(text) != std::string::npos; }
  std::size_t count(std::string_view text) const {
    std::size_t n = 0;
    for (std::size_t at = seen.find(text); at != std::string::npos; at = seen.find(text, at + 1)) ++n;
    return n;
  }
  std::string seen;

 private:
  net::Fd fd_;
  bool ended_ = false;
  bool reset_ = false;
};

// Notes what happens and does what the test says.
struct Recorder final : Handler, Watcher {
  std::function<void(Exchange&)> act;
  std::function<void(std::string_view)> act_on_body;
  std::function<void()> act_on_too_large, act_on_gone;
  std::vector<std::string> targets, bodies;
  Exchange* last = nullptr;
  int gone = 0, too_large = 0;
  bool within = false;  // a call is on the stack

  void on_request(Exchange& exchange) override {
    EXPECT_FALSE(std::exchange(within, true));
    last = &exchange;
    targets.emplace_back(exchange.head().target);
    exchange.watch(this);
    if (act) act(exchange);
    within = false;
  }
  void on_body(std::string_view body) override {
    EXPECT_FALSE(std::exchange(within, true));
    bodies.emplace_back(body);
    if (act_on_body) act_on_body(body);
    within = false;
  }
  void on_body_too_large() override {
    EXPECT_FALSE(std::exchange(within, true));
    ++too_large;
    if (act_on_too_large) act_on_too_large();
    within = false;
  }
  void on_gone() override {
    EXPECT_FALSE(std::exchange(within, true));
    ++gone;
    last = nullptr;
    if (act_on_gone) act_on_gone();
    within = false;
  }
};

struct World {
  explicit World(Limits limits = {}) : server(std::make_unique<Server>(loop, limits)) {
    net::BoundListener bound =
        net::bind_listener(net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), 0), 1);
    EXPECT_EQ(bound.error, "");
    address = bound.address;
    server->route("", handler);
    server->listen(std::move(bound.sockets[0]));
  }
  // Runs the loop until it is so; false after five seconds.
  bool until(std::function<bool()> so) {
    const std::uint64_t end = net::now_ms() + 5'000;
    while (true) {
      for (Client* each : clients) each->look();
      if (so()) return true;
      if (net::now_ms() > end) return false;
      turn();
    }
  }
  void turn() {
    net::Timer soon(loop, net::delegate<&net::Loop::stop>(&loop));
    soon.after(1);
    loop.run();
  }
  Client& connect() {
    made.emplace_back(address);
    clients.push_back(&made.back());
    return made.back();
  }

  net::Loop loop;
  Recorder handler;
  net::Address address;
  std::unique_ptr<Server> server;
  std::deque<Client> made;
  std::vector<Client*> clients;
};

// A connection whose send buffer holds little, and the client's end of it.
inline net::Fd narrow(World& w) {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  const int least = 1;
  ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
  w.server->adopt(net::Fd(fds[0]), net::Address());
  return net::Fd(fds[1]);
}

inline void say(const net::Fd& fd, std::string_view bytes) {
  ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

inline std::string heard(const net::Fd& fd) {
  char part[65536];
  std::string all;
  for (ssize_t got; (got = ::recv(fd.get(), part, sizeof(part), 0)) > 0;)
    all.append(part, static_cast<std::size_t>(got));
  return all;
}

inline void say_ok(Exchange& exchange) {
  exchange.answer({.content_type = "text/plain", .body = "ok"});
}

}  // namespace limpet::http
