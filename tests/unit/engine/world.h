// An Engine.IO server on a loopback port, its application, clients on real sockets, one loop that runs until
// the test has seen what it waits for.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/engine/server.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "tests/unit/http/world.h"

namespace limpet::engine {

// Nothing is said that a test did not ask for.
inline Options quiet() {
  Options options;
  options.ping_interval_ms = 60'000;
  return options;
}

// Notes what happens to one session and does what the test says.
struct Seen final : Receiver {
  Session* session = nullptr;  // until it has closed
  std::vector<std::string> messages;
  std::vector<Reason> closed;
  std::function<void(Seen&, std::string_view)> act;
  void on_message(Kind kind, std::string_view data) override {
    messages.push_back((kind == Kind::binary ? "bytes:" : "") + std::string(data));
    if (act) act(*this, data);
  }
  void on_close(Reason reason) override {
    session = nullptr;
    closed.push_back(reason);
  }
  void send(std::string_view text) { session->send(packet_of(Kind::text, {text})); }
};

struct App final : Application {
  std::deque<Seen> sessions;
  std::function<void(Seen&)> on_opened;
  std::function<void(Seen&, std::string_view)> on_said;
  std::optional<std::string> forbidden;
  std::optional<std::string> forbid(const wire::RequestHead&, const net::Address&) override {
    return forbidden;
  }
  Receiver* on_open(Session& session) override {
    Seen& seen = sessions.emplace_back();
    seen.session = &session;
    seen.act = on_said;
    if (on_opened) on_opened(seen);
    return &seen;
  }
};

// A client's frames, and those of the server taken apart (unfragmented, as all of ours are).
std::string masked_frame(int opcode, std::string_view body);
struct Frame {
  int opcode = 0;
  std::string body;
};
std::vector<Frame> frames_of(std::string_view bytes);

struct World {
  explicit World(Options options = {});
  bool until(std::function<bool()> so);  // false after five seconds
  void run_for(std::uint64_t ms);        // for what must not happen

  http::Client& connect();
  // Each on a connection of its own; the answer is awaited.
  std::string get(std::string_view query, std::string_view fields = {});
  std::string post(std::string_view query, std::string_view body, std::string_view fields = {});
  http::Client& start_get(std::string_view query, std::string_view fields = {});
  http::Client& start_post(std::string_view query, std::string_view body, std::string_view fields = {});
  std::string open(std::string_view query = "EIO=4&transport=polling");  // the sid; "" if it was refused
  http::Client& websocket(std::string_view query = "EIO=4&transport=websocket", std::string_view fields = {});
  bool answered(http::Client& client);

  net::Loop loop;
  App app;
  net::Address address;
  std::unique_ptr<http::Server> http;
  std::unique_ptr<Server> server;
  std::deque<http::Client> clients;
};

std::string with_sid(std::string_view sid, std::string_view transport = "polling");
std::string body_of(std::string_view answer);  // chunks joined
std::vector<Frame> frames_after_head(const http::Client& client);

}  // namespace limpet::engine
