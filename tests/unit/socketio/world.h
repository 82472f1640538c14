// World: a Server without a network. Its clients are sessions that write down what they are sent.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backend/http/server.h"
#include "backend/socketio/server.h"
#include "proxy/net/loop.h"

namespace limpet::socketio {

class FakeSession final : public engine::Session {
 public:
  FakeSession(std::string sid, int revision) : sid_(std::move(sid)), revision_(revision) {}

  std::string_view sid() const override { return sid_; }
  int revision() const override { return revision_; }
  bool over_websocket() const override { return websocket; }
  const engine::Handshake& handshake() const override { return *handshake_; }
  void send(const engine::MessageRef& packet) override {
    const bool text = packet->kind() == engine::Kind::text;
    sent.push_back(text ? std::string(packet->body().substr(1)) : "bytes:" + std::string(packet->body()));
    if (dies_when_sent_to) end(engine::Reason::transport_error);
  }
  bool writable() const override { return can_write; }
  void close(engine::Reason) override { closed = true; }
  void discard(engine::Reason) override { closed = true; }
  bool closing() const override { return closed; }
  void pause() override { paused = true; }
  void resume() override { paused = false; }

  void say(std::string_view text) { receiver->on_message(engine::Kind::text, text); }
  void give(std::string_view bytes) { receiver->on_message(engine::Kind::binary, bytes); }
  void end(engine::Reason reason) {
    if (auto* told = std::exchange(receiver, nullptr)) told->on_close(reason);
  }
  // What it has been sent since the last time.
  std::vector<std::string> heard() { return std::exchange(sent, {}); }

  engine::Receiver* receiver = nullptr;
  std::vector<std::string> sent;
  bool websocket = true, can_write = true, closed = false, dies_when_sent_to = false;
  bool paused = false;

 private:
  std::string sid_;
  int revision_;
  engine::Handshake::Owner handshake_ =
      engine::Handshake::make({"/socket.io/?EIO=4", "10.0.0.1:9"}, 1, false);
};

class World : public testing::Test {
 protected:
  void start(const std::function<void(Options&)>& change = {}) {
    Options options;
    options.engine.node_id = "ws1";
    if (change) change(options);
    options.on_exception = [this](std::string_view where, std::string_view) {
      exceptions.emplace_back(where);
    };
    http.emplace(loop, http::Limits{});
    io = std::make_unique<Server>(loop, *http, std::move(options));
  }
  void TearDown() override {
    for (auto& session : sessions) session->end(engine::Reason::transport_close);
    turn();
  }

  FakeSession& open(int revision = 4) {
    sessions.push_back(std::make_unique<FakeSession>(
        "engine-sid-" + std::to_string(100'000'000 + sessions.size()), revision));
    FakeSession& session = *sessions.back();
    session.receiver = io->application().on_open(session);
    return session;
  }
  // A client that has joined "/".
  FakeSession& join(std::string_view packet = "0") {
    FakeSession& session = open();
    session.say(packet);
    session.heard();
    return session;
  }
  // Everything that waits for the end of the loop's turn, and timers that are due.
  void turn(std::uint64_t ms = 0) {
    net::Timer stop(loop, net::delegate<&net::Loop::stop>(&loop));
    stop.after(ms);
    loop.run();
  }

  net::Loop loop;
  std::optional<http::Server> http;
  std::unique_ptr<Server> io;
  std::vector<std::unique_ptr<FakeSession>> sessions;
  std::vector<std::string> exceptions;
};

}  // namespace limpet::socketio
