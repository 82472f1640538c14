// Session: one client connection from accept to close.
//
// Owned by its Worker, on whose thread it lives. Reads heads, runs one Exchange at a time, answers what it
// refuses itself; keep-alive and pipelining are here. After a 101 the sockets go to the tunnel engine and the
// Session ends.
//
// Every event handler ends in settle(), which alone finishes exchanges, begins the next, and may destroy
// *this: nothing may follow it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/net/address.h"
#include "proxy/net/loop.h"
#include "proxy/net/stream.h"
#include "proxy/session/answers.h"
#include "proxy/session/room.h"
#include "proxy/session/worker.h"
#include "proxy/wire/head.h"

namespace limpet::session {

class Exchange;

struct DestroyExchange {  // its memory is the room's
  void operator()(Exchange* exchange) const;
};

class Session {
 public:
  Session(Worker& worker, net::Stream client, const net::Address& peer, std::uint32_t listener);
  ~Session();
  Session(const Session&) = delete;

  void start();
  void settle();
  void drain();                                   // ends when idle, else after the answer under way
  void abort();                                   // at once
  void server_down(std::uint32_t server_serial);  // ends what waits on it, where the pool says so

  // For the exchange.
  Worker& worker() { return worker_; }
  net::Stream& client() { return client_; }
  const net::Address& peer() const { return peer_; }
  std::string_view peer_text();
  const config::Listener& listener() const;
  Room& room() { return *room_; }
  std::string_view rest() const { return std::string_view(room_->in).substr(used_); }  // bytes after the head
  void consume(std::size_t bytes) { used_ += bytes; }
  std::string& ahead() { return room_->ahead; }  // bytes read while an answer was waited for
  void note_end() { ended_ = true; }  // the client has sent its end: what is buffered is the last of it
  // Counted as one client until the tunnel's record ends: the session gives its place away.
  void give_place() { has_place_ = false; }

 private:
  friend class Worker;
  enum class Phase : std::uint8_t { idle, head, exchange, lingering, closed };

  void move_to(Phase next);
  void on_readable();
  void on_deadline();
  bool read_head();  // false if more bytes are needed, or the session is ending
  void begin_exchange(std::string_view head);
  void refuse_head(const Outcome& outcome);
  void finish_exchange();
  void drop_exchange();
  void keep(std::string_view bytes);  // of the client, until they are taken
  void give_room_back();
  void next_message();  // moves what was read ahead to the front
  void linger();
  void on_linger();

  Worker& worker_;
  net::Stream client_;
  net::Address peer_;
  std::unique_ptr<Room> room_;  // none while it idles
  std::size_t used_ = 0;        // where in room_->in the bytes begin that nobody has taken yet
  wire::HeadScanner scanner_;
  net::Timer deadline_;
  std::unique_ptr<Exchange, DestroyExchange> exchange_;
  std::string peer_text_;
  std::uint64_t head_begun_us_ = 0;
  std::uint32_t listener_;
  Phase phase_ = Phase::idle;
  bool draining_ = false;
  bool ended_ = false;
  bool served_ = false;  // a request was read from this connection
  bool has_place_ = true;
  Session* prev_ = nullptr;  // the worker's list
  Session* next_ = nullptr;
};

}  // namespace limpet::session
