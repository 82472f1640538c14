// The inside of Server: requests on their way to sessions, and what sessions share. Included by engine's .cpp
// files alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "backend/budget/budget.h"
#include "backend/engine/compression.h"
#include "backend/engine/live_session.h"
#include "backend/engine/query.h"
#include "backend/engine/refusal.h"
#include "backend/engine/server.h"
#include "backend/engine/session_table.h"
#include "backend/engine/sids.h"
#include "backend/ws/hub.h"
#include "proxy/net/loop.h"

namespace limpet::engine {

// Of Origin; nothing if there is none.
std::optional<std::string_view> origin_of(const wire::RequestHead& head);

inline constexpr std::uint16_t kServiceRestart = 1012;  // the registry of RFC 6455, 7.4.1

// Packets that all sessions share.
struct ControlPackets {
  ControlPackets();
  MessageRef close, ping, pong, probe_answer, noop;
};

struct Server::Impl final : http::Handler, budget::Spender {
  Impl(net::Loop& loop, http::Server& http, const Options& options, Application& application);
  ~Impl();

  void on_request(http::Exchange& exchange) override;
  void weigh(budget::Census& census) const override;
  void evict(budget::Eviction& eviction) override;

  // Of sessions.
  void admit(LiveSession& session);  // it has its sid: it is found from now on
  void forget(LiveSession& session,
              Reason reason);  // it is not any more, and is freed at the end of the turn
  void overflow(LiveSession& session);
  // Fields of answers, good until the next call: CORS alone, or all that those to polls and bodies have.
  std::string_view cors_fields_for(const http::Exchange& exchange);
  std::string_view poll_fields_for(const http::Exchange& exchange, Coding coding = Coding::identity,
                                   std::string_view new_sid = {});
  void shrink_scratch();
  MessageRef as_carried(const MessageRef& binary, int revision, bool base64);

  void append_cookie(std::string& fields, std::string_view sid) const;

  bool full() { return budget.tight() || (table.size() >= options.max_sessions && !unasked_may_go()); }
  bool unasked_may_go() const;
  void drain(std::uint64_t window_ms);
  void note_told(std::string_view sid);  // its poll has brought the news that this is shutting down
  bool crossing() const;
  void close_all();

  net::Loop& loop;
  const Options options;
  Application& application;
  ws::Hub hub;  // outlives the sessions
  const ControlPackets control;
  Sids sids;
  SessionTable<LiveSession> table;
  boost::intrusive::list<Polling> unasked;  // those whose second request has not come, the oldest first
  budget::Budget budget;
  Totals totals;
  bool refusing = false;         // refuse_new()
  std::string room;              // what a packet's base64 decodes to
  std::string body, compressed;  // of a poll's answer

 private:
  std::optional<Refusal> verify(const wire::RequestHead& head, const Query& query, bool upgrade,
                                LiveSession*& session);
  std::optional<Refusal> verify_handshake(const Query& query);
  void refuse(http::Exchange& exchange, Refusal refusal, bool upgrade);
  void forbid(http::Exchange& exchange, std::string_view message, bool upgrade);
  void answer_preflight(http::Exchange& exchange, bool upgrade);
  bool crosses(const wire::RequestHead& head, const Query& query) const;
  void answer_crossing(http::Exchange& exchange, bool upgrade);
  void open_polling(http::Exchange& exchange, const Query& query);
  void on_upgrade(http::Exchange& exchange, const Query& query, LiveSession* session);
  void open_websocket(http::Exchange& exchange, const Query& query);
  void close_at_once(http::Exchange& exchange, std::uint16_t code, std::string_view reason);
  http::Exchange::Upgraded switch_protocols(http::Exchange& exchange, ws::Options& socket,
                                            std::string_view new_sid);
  std::string switch_fields(const http::Exchange& exchange, ws::Options& socket,
                            std::string_view new_sid) const;
  void refuse_after_switch(http::Exchange& exchange, Refusal refusal);
  void on_turn_end();
  void on_drain_tick();

  std::string fields_;
  std::vector<std::unique_ptr<LiveSession>> dead_;  // of this turn
  std::vector<LiveSession*> overflowing_;
  net::Deferred turn_end_;
  net::Timer drain_tick_;
  struct {
    std::uint64_t began_ms = 0, window_ms = 0;
    std::size_t all = 0, ended = 0, place = 0;
  } drain_;
  std::unordered_set<std::string> told_;  // sids, no more than there were sessions at drain()
  std::uint64_t told_ms_ = 0;             // the last of them
  struct {
    MessageRef from, to;
    int revision = 0;
    bool base64 = false;
  } carried_;  // the last one, as a broadcast asks for the same again and again
};

}  // namespace limpet::engine
