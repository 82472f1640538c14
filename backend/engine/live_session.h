// LiveSession: one Engine.IO session from its open packet to its end, whatever carries it: polls or a
// WebSocket.
//
// Owned by Server::Impl, which frees it at the end of the turn in which it ended, so that everybody on the
// stack may still have it. What idles over a WebSocket is this, its handshake's block and the socket: no
// more.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "backend/engine/candidate.h"
#include "backend/engine/payload.h"
#include "backend/engine/polling.h"
#include "backend/engine/server.h"
#include "backend/engine/sids.h"
#include "backend/ws/socket.h"
#include "proxy/net/loop.h"

namespace limpet::engine {

class LiveSession final : public Session, ws::Receiver {
 public:
  LiveSession(Server::Impl& server, int revision, Handshake::Owner handshake);
  ~LiveSession();

  std::string_view sid() const override { return {sid_, Sids::kSize}; }
  int revision() const override { return revision_; }
  bool over_websocket() const override { return static_cast<bool>(socket_); }
  const Handshake& handshake() const override { return *handshake_; }
  void send(const MessageRef& packet) override;
  bool writable() const override;
  void close(Reason reason) override;
  void discard(Reason reason) override { finish(reason); }
  bool closing() const override { return state_ != State::open; }
  void pause() override;
  void resume() override;

  // Of the server. One of these first; the open packet goes out and the Application hears of it.
  void begin(http::Exchange& poll, const Query& query);
  void begin(http::Exchange::Upgraded from, const ws::Options& options, bool base64);
  void on_request(http::Exchange& exchange) { polling_->on_request(exchange); }
  bool takes_candidate() const { return !upgraded_ && !candidate_; }
  void try_upgrade(http::Exchange::Upgraded from, const ws::Options& options, bool base64);
  void overflow();  // slow_consumer, at the end of the turn: whoever sends is not called back
  void evict();     // slow_consumer, at the end of the turn, and all that it holds goes
  std::size_t holds() const;
  bool takes_body() const { return polling_ && polling_->takes_body(); }

  // Of what carries it.
  Server::Impl& server() { return server_; }
  bool closed() const { return state_ == State::closed; }
  bool paused() const { return paused_; }
  void on_packet(const Packet& packet);
  void on_bad_packet();
  void on_queue_flushed();
  void on_close_packet();  // of a poll's body
  void finish(Reason reason) { finish(reason, nullptr); }
  void finish_closing() { finish(close_reason_); }

  // Of its candidate, which is gone when the second and the third return.
  void release_poll();  // so that the client can pause its polling
  void upgrade();
  void drop_candidate() { candidate_.reset(); }
  std::uint16_t close_code() const;  // of a WebSocket that goes with the session; 0: none

 private:
  enum class State : std::uint8_t { open, closing, closed };
  // opening: the open packet is still to be sent; extended: a packet came meanwhile, once.
  enum class Beat : std::uint8_t { opening, resting, asked, extended };

  void on_message(ws::Kind kind, std::string_view body) override;
  void on_end(const ws::Ending& ending) override;
  void open_over_websocket();
  void announce();
  void carry(const MessageRef& packet);
  void send_control(const MessageRef& packet);
  void on_beat();
  void beat_after(std::uint64_t ms, Beat beat);
  void finish(Reason reason, const MessageRef* farewell);

  Server::Impl& server_;
  engine::Receiver* receiver_ = nullptr;  // the application's
  Handshake::Owner handshake_;
  ws::Socket socket_;                 // none while polls carry it
  std::unique_ptr<Polling> polling_;  // none while a WebSocket carries it
  std::unique_ptr<Candidate> candidate_;
  net::Timer heartbeat_;
  char sid_[Sids::kSize];
  std::uint8_t revision_;
  State state_ = State::open;
  Beat beat_ = Beat::resting;
  Reason close_reason_ = Reason::forced_close;
  bool upgraded_ = false;
  bool paused_ = false;
  bool base64_ = false;       // the WebSocket's client takes no binary
  bool binary_as_is_ = true;  // over the WebSocket: not in revision 3, not with b64
};

}  // namespace limpet::engine
