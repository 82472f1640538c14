// Sessions: a mode whose sockets are Socket.IO clients over WebSocket, each in the main namespace. Answers
// pings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/load/socketio/text_frames.h"
#include "tests/bench/load/sockets_mode.h"

namespace limpet::bench {

constexpr std::string_view kSocketIoPath = "/socket.io/?EIO=4&transport=websocket";
constexpr std::string_view kRoom = "bench";

std::string socket_io_path(const Load& load);  // that, unless another was asked for

// What a client says, as patterns: the same bytes each time.
Pattern packet(std::string_view text, std::size_t room = 0);
Pattern echo_event(std::uint64_t size, std::size_t room = 0);  // with an ack
std::string echo_ack(std::uint64_t size);                      // what comes back for it

class Sessions : public SocketsMode {
 public:
  explicit Sessions(Load& load, std::uint32_t more = 0);
  void on_head(Client& client) override;
  void on_bytes(Client& client, std::span<char> bytes) override;

 protected:
  virtual void on_packet(Client& client, std::string_view text) = 0;  // of a session that is open, no ping
  virtual void on_ping(Client&) {}                                    // its pong has been sent
  virtual void after_batch(Client&) {}                                // what was read at once is done
  void join_all();                     // clients from `first_member` on, the room; returns when all are in it
  bool joined(std::string_view text);  // whether that was an answer to join_all()
  std::uint32_t first_member_ = 0;

 private:
  void on_text(Client& client, std::string_view text);

  const Pattern connect_, pong_, join_;
  std::vector<TextReader> readers_;  // by socket
  std::uint32_t joined_ = 0;
};

}  // namespace limpet::bench
