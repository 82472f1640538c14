// Candidate: a WebSocket that wants to carry a session which something else carries still (the transport
// upgrade).
//
// Part of its LiveSession; ends by becoming its carrier or by closing, within upgrade_timeout_ms.
#pragma once

#include "backend/http/server.h"
#include "backend/ws/socket.h"
#include "proxy/net/loop.h"

namespace limpet::engine {

class LiveSession;

class Candidate final : ws::Receiver {
 public:
  Candidate(LiveSession& session, http::Exchange::Upgraded from, const ws::Options& options, bool base64);
  ~Candidate();  // closes the socket, if it still has it
  Candidate(const Candidate&) = delete;

  ws::Socket take_socket();
  bool base64() const { return base64_; }
  std::size_t holds() const { return socket_ ? socket_.holds() : 0; }

 private:
  void on_message(ws::Kind kind, std::string_view body) override;
  void on_end(const ws::Ending& ending) override;
  void on_tick();
  void on_deadline();

  LiveSession& session_;
  ws::Socket socket_;
  net::Timer tick_;
  net::Timer deadline_;
  bool base64_;
};

}  // namespace limpet::engine
