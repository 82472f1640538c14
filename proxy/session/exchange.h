// Exchange: one request and its answer, from a complete head to the last byte of the answer or the tunnel.
//
// Owned by its Session, on the worker's thread. Two directions with a state each: the request goes up, the
// answer comes down; an exchange is over when both are done, or when it was cut. The steps, in order:
//   exchange.cpp          who asks, for what: route, affinity, choice
//   exchange_attempt.cpp  a server: connect, send the head, retries
//   exchange_request.cpp  the request's body, and the client while it waits
//   exchange_answer.cpp   the answer's head and body
//   exchange_end.cpp      refusals, hand-over to a tunnel, the log line
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/config/snapshot.h"
#include "proxy/log/access.h"
#include "proxy/net/connect.h"
#include "proxy/net/loop.h"
#include "proxy/net/stream.h"
#include "proxy/session/answers.h"
#include "proxy/session/body_flow.h"
#include "proxy/session/load_ticket.h"
#include "proxy/session/session.h"
#include "proxy/wire/engineio.h"
#include "proxy/wire/forward.h"
#include "proxy/wire/websocket.h"
#include "routing/chooser.h"

namespace limpet::session {

class Exchange {
 public:
  Exchange(Session& session, std::uint64_t begun_us);
  ~Exchange();
  Exchange(const Exchange&) = delete;

  // `head` lies in the session's buffer, which stays as it is until the exchange is over.
  void begin(std::string_view head);

  enum class Phase : std::uint8_t {
    choosing,
    connecting,
    waiting,    // head written or being written, no byte of an answer yet
    answering,  // the answer is on its way, or our own page
    over,       // everything is sent: the session may go on
    cut,        // the client's connection must end now
    tunnelled,  // the sockets have gone to the engine
  };
  Phase phase() const { return phase_; }
  bool ended() const { return phase_ >= Phase::over; }
  bool keeps_client() const { return phase_ == Phase::over && !close_client_; }
  bool resets_client() const { return reset_client_; }
  bool leaves_unread() const { return !request_done_ || close_client_unread_; }

  void close_after();       // draining: the answer says Connection: close, if its head is not out yet
  void abort(Cause cause);  // the client has gone
  void refuse(Cause cause) {
    refuse(Outcome{cause, std::nullopt});
  }  // told to the client, if it still can be
  // The server was found silent or down while we wait for its first byte: another one now, if there is one.
  void server_silent(std::uint32_t server_serial);
  // It is down, and on_down = "close": a request of one of its sessions ends.
  void server_down(std::uint32_t server_serial);
  void log();

 private:
  friend class Worker;  // its list of waiting handshakes
  enum class Wait : std::uint8_t {
    none,
    reconnect,
    body,
    upload,
    handshake,
    first_byte,
    head,
    answer,
    reader
  };

  // exchange.cpp
  void identify();
  void classify();
  routing::Choice ask(std::span<const routing::Server* const> not_these);
  struct Place {
    routing::Choice choice;
    LoadTicket ticket;  // empty: there is none, for the reason in lack_
  };
  Place place();
  void take(Place place);
  bool over_pool_bound() const;
  bool has_left() const;
  void choose();
  void build_upstream_head();
  bool holds(routing::Affinity kind) const { return pool_->routing.holds(kind); }

  // exchange_attempt.cpp
  void attempt();
  void connect();
  void on_connected();
  void after_connect();
  void on_connect_failed(int error);
  enum class Spend : std::uint8_t { no, yes };  // of the pool's budget of second tries
  bool move_on(net::Counter& counter, Spend spend);
  bool try_elsewhere();
  void send_request(std::size_t head_sent);  // already, with the connect
  void arm_first_byte();
  std::uint64_t response_ms() const;
  bool may_resend() const;
  void drop_upstream();
  void on_handshake_late();
  void on_slow();
  void on_silent_end();
  bool pool_is_slow() const;
  void leave_handshake_list();
  void stop_slow_clock();

  // exchange_request.cpp
  void pump_request();
  bool read_client_body(std::string_view& bytes);
  void flush_up(std::string_view raw);
  void on_request_done();
  void watch_client();
  void read_ahead();
  void on_client_readable();
  void on_upstream_writable();

  // exchange_answer.cpp
  void on_upstream_readable();
  void read_answer();
  void on_answer_bytes(std::string_view bytes);
  void parse_answer_heads();
  void on_interim();
  void await_head();
  void on_final_head();
  void pass_answer(std::string_view bytes);
  void write_down(std::string_view raw);
  void on_client_writable();
  void on_answer_end(bool broken);
  void on_answer_done();
  void sniff();
  void warn_of_cookie();
  void warn_of_tag(std::string_view sid);
  std::uint64_t keep_upstream_ms() const;
  void check_over();

  // exchange_end.cpp
  void refuse(Outcome outcome);
  void answer_ready();
  void cut(Outcome outcome);
  void become_tunnel(std::string_view early);
  void on_deadline();
  void on_upload_deadline();
  void arm(Wait why, std::uint64_t after_ms);
  void arm_up(Wait why, std::uint64_t after_ms);
  log::AccessRecord access_record();
  std::string_view client_text();
  std::string_view client_scheme() const;

  Session& session_;
  Worker& worker_;
  Room& room_;  // the session's
  std::shared_ptr<const config::Snapshot> snapshot_;
  const config::PoolEntry* pool_ = nullptr;

  // The request.
  wire::RequestHead head_;
  wire::EngineIoQuery engineio_;
  wire::Offer offer_;
  wire::ClientIdentity client_;
  routing::ClientKey key_;
  std::array<std::string_view, 8> cookies_;
  std::size_t cookie_count_ = 0;
  routing::Kind kind_ = routing::Kind::plain;
  bool websocket_ = false;
  std::array<char, Worker::kRequestId> own_id_;
  std::string_view request_id_;  // own_id_, or what a trusted peer has called it

  // The server.
  routing::Choice choice_;
  LoadTicket ticket_;
  routing::Refusal lack_ = routing::Refusal::none;  // why place() found none
  std::array<const routing::Server*, 2> tried_{};
  std::uint8_t servers_ = 0;   // tried so far, this one included
  std::uint8_t connects_ = 0;  // to this one
  std::uint32_t retries_ = 0;
  std::uint32_t life_ms_ = 0;  // of the session that the request belongs to
  net::Connect connect_;
  net::Stream upstream_;
  std::string& up_head_ = room_.up_head;
  std::size_t up_head_sent_ = 0;
  std::string& up_pending_ = room_.up_pending;
  BodyFlow request_flow_;
  bool reused_ = false;
  bool body_begun_ = false;  // a byte of it was given to a server
  bool request_done_ = false;
  bool request_broken_ = false;      // the server takes no more of it; its answer may still come
  std::size_t handshake_index_ = 0;  // in the worker's list, if listed_
  bool listed_ = false;
  bool counted_slow_ = false;

  // The answer.
  wire::ResponseHead answer_;
  wire::HeadScanner answer_scanner_;
  std::string& answer_in_ = room_.answer_in;
  BodyFlow answer_flow_;
  wire::BodySample sample_;
  std::string& down_pending_ = room_.down_pending;
  std::uint16_t status_ = 0;  // sent to the client
  std::uint8_t interim_ = 0;
  bool sampling_ = false;
  bool answer_begun_ = false;  // a byte of it was read
  bool head_out_ = false;      // the final head was written for the client
  bool answer_done_ = false;
  bool upstream_reusable_ = false;
  bool close_client_ = false;
  bool close_client_unread_ = false;  // bytes are left that nobody will read
  bool reset_client_ = false;
  bool client_eof_ = false;

  net::Timer deadline_;  // of the answer's direction
  net::Timer up_timer_;  // of the request's
  net::Timer slow_;
  Wait waiting_for_ = Wait::none;
  Wait up_waiting_for_ = Wait::none;
  std::uint64_t stall_mark_ = 0;       // bytes_in_ when the client's deadline was set
  std::uint64_t stall_mark_down_ = 0;  // bytes_out_ likewise
  wire::IpAddress::Text client_text_;
  Outcome outcome_;
  Phase phase_ = Phase::choosing;

  std::uint64_t begun_us_;
  std::uint64_t connect_begun_ms_ = 0;
  std::uint64_t connected_us_ = ~0ull;
  std::uint64_t first_byte_us_ = ~0ull;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

}  // namespace limpet::session
