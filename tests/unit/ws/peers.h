// A Socket and the client at the other end of its connection, as the tests of this folder use them: the
// client says frames, the loop turns, and what either side was told is written down.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/ws/hub.h"
#include "backend/ws/socket.h"
#include "proxy/wire/ws_frame.h"

namespace limpet::ws {

// A client's frame.
inline std::string frame(std::uint8_t first, std::string_view body, std::uint32_t key = 0x5a17c3e9) {
  char head[wire::kMostFrameHead];
  std::string bytes(head, wire::write_frame_head(head, first, body.size(), key));
  const std::size_t at = bytes.size();
  bytes += body;
  wire::unmask(std::span(bytes).subspan(at), key);
  return bytes;
}
inline std::string text(std::string_view body) {
  return frame(0x81, body);
}
inline std::string binary(std::string_view body) {
  return frame(0x82, body);
}
inline std::string ping(std::string_view body) {
  return frame(0x89, body);
}
inline std::string code_bytes(unsigned code) {
  return {static_cast<char>(code >> 8), static_cast<char>(code)};
}
inline std::string close_frame(unsigned code, std::string_view reason = {}) {
  return frame(0x88, code_bytes(code).append(reason));
}

// What a server sent, as one line a frame: "text hello", "close 1002", "ping x", "more" for a cut one.
std::vector<std::string> spell(std::string_view bytes);

// Writes down what it is told, and does what the test says.
struct Listener : Receiver {
  void on_message(Kind kind, std::string_view body) override;
  void on_end(const Ending& ending) override;
  void on_drained() override {
    ++drained;
    if (when_drained) when_drained();
  }
  void on_ping() override { ++pings; }
  void on_pong(std::string_view body) override {
    heard.push_back("pong " + std::string(body));
    if (when_pong) when_pong();
  }
  std::vector<std::string> heard;  // "text hello", "end closed_by_peer 1000 bye"
  std::function<void(Kind, std::string_view)> when_message;
  std::function<void()> when_end, when_drained, when_pong;
  int drained = 0, pings = 0;
  bool ended = false;
};

struct Peers : testing::Test {
  explicit Peers(std::uint64_t linger_ms = 60'000, std::uint64_t cut_ms = 30'000)
      : hub(loop, linger_ms, cut_ms) {}
  void open(const Options& options = {}, std::string_view early = {}, std::string_view unsent = {});
  void say(std::string_view bytes);  // by the client
  void turn(int turns = 1);          // of the loop, which does not sleep
  void until(const std::function<bool()>& holds);
  std::string answers();  // all bytes that the client has got since it last looked
  std::vector<std::string> answer() { return spell(answers()); }
  bool client_sees_end();  // nothing more to read
  void send(std::string_view body) { socket.send(Message::make(Kind::text, {body})); }

  net::Loop loop;
  Hub hub;
  Listener server;
  Socket socket;
  net::Fd client;
};

}  // namespace limpet::ws
