#include "proxy/session/tunnel_record.h"

#include <algorithm>
#include <limits>

#include "proxy/net/loop.h"

namespace limpet::session {
namespace {

// Of what stays in memory for days.
constexpr std::size_t kMostClient = 64, kMostId = 128, kMostHost = 128, kMostTarget = 160, kMostSid = 64,
                      kMostAgent = 128;
static_assert(sizeof(tunnel::Tunnel) + sizeof(TunnelRecord) + kMostClient + kMostId + kMostHost +
                  kMostTarget + kMostSid + kMostAgent <=
              1024 - 16);  // what malloc adds

std::uint32_t to_u32(std::uint64_t us) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(us, std::numeric_limits<std::uint32_t>::max()));
}

std::string_view reason_of(tunnel::Why why) {
  switch (why) {
    case tunnel::Why::eof: return "eof";
    case tunnel::Why::reset: return "reset";
    case tunnel::Why::idle: return "idle";
    case tunnel::Why::drain: return "drain";
    case tunnel::Why::server_down: return "server_down";
    case tunnel::Why::failed: return "local_shortage";
  }
  return "eof";
}

std::string_view name_of(tunnel::Who who) {
  switch (who) {
    case tunnel::Who::client: return "client";
    case tunnel::Who::server: return "server";
    case tunnel::Who::proxy: break;
  }
  return "proxy";
}

// Whether the client finished the change of its session's transport: it has sent `2probe` and `5`, two masked
// frames of 12 and 7 bytes. One that gives up has sent the first at most, and a Close frame of 6 or 8 bytes;
// its polling session lives on.
bool finished_upgrade(std::uint64_t bytes) {
  constexpr std::uint64_t kProbe = 12, kUpgrade = 7, kClose = 8;
  return bytes >= kProbe + kUpgrade && bytes != kProbe + kClose;
}

}  // namespace

std::unique_ptr<TunnelRecord> TunnelRecord::make(Shared& shared, Facts facts,
                                                 const log::AccessRecord& record) {
  const Pieces pieces = {record.client.substr(0, kMostClient), record.request_id.substr(0, kMostId),
                         record.host.substr(0, kMostHost),     record.target.substr(0, kMostTarget),
                         record.sid.substr(0, kMostSid),       record.user_agent.substr(0, kMostAgent)};
  std::size_t text = 0;
  for (const std::string_view each : pieces) text += each.size();
  return std::unique_ptr<TunnelRecord>(new (text) TunnelRecord(shared, std::move(facts), record, pieces));
}

TunnelRecord::TunnelRecord(Shared& shared, Facts facts, const log::AccessRecord& record, const Pieces& pieces)
    : shared_(shared),
      facts_(std::move(facts)),
      connect_us_(to_u32(record.connect_us)),
      first_byte_us_(to_u32(record.first_byte_us)),
      retries_(static_cast<std::uint16_t>(record.retries)) {
  facts_.server->load.tunnels_total.fetch_add(1, std::memory_order_relaxed);
  char* to = text();
  for (std::size_t i = 0; i < kPieces; ++i) {
    lengths_[i] = static_cast<std::uint8_t>(pieces[i].copy(to, pieces[i].size()));
    to += lengths_[i];
  }
  if (facts_.learned) shared_.sids.pin(record.sid);
}

TunnelRecord::~TunnelRecord() {
  facts_.server->load.in_use.end_tunnel();
  shared_.client_has_gone();
}

TunnelRecord::Pieces TunnelRecord::pieces() const {
  Pieces pieces;
  const char* from = reinterpret_cast<const char*>(this + 1);
  for (std::size_t i = 0; i < kPieces; ++i) {
    pieces[i] = {from, lengths_[i]};
    from += lengths_[i];
  }
  return pieces;
}

void TunnelRecord::ended(const tunnel::Ending& ending) noexcept {
  facts_.server->load.bytes_in.fetch_add(ending.bytes_in, std::memory_order_relaxed);
  facts_.server->load.bytes_out.fetch_add(ending.bytes_out, std::memory_order_relaxed);
  const auto [client, id, host, target, sid, agent] = pieces();
  if (facts_.learned && finished_upgrade(ending.bytes_in)) {
    shared_.sids.forget(sid);
  } else if (facts_.learned) {
    shared_.sids.unpin(sid, net::now_ms());
  }
  if (!log::access_enabled()) return;
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  log::AccessRecord record;
  record.tunnel = true;
  record.client = client;
  record.request_id = id;
  record.method = "GET";
  record.host = host;
  record.target = target;
  record.route = facts_.server->pool;
  record.by = routing::name_of(facts_.by);
  record.sid = sid;
  record.user_agent = agent;
  record.server = facts_.server->id;
  record.status = 101;
  record.retries = retries_;
  record.connect_us = connect_us_ == kNone ? log::AccessRecord::kNever : connect_us_;
  record.first_byte_us = first_byte_us_ == kNone ? log::AccessRecord::kNever : first_byte_us_;
  record.total_us = net::now_us() - facts_.begun_us;
  record.bytes_in = ending.bytes_in;
  record.bytes_out = ending.bytes_out;
  record.ended_by = name_of(ending.who);
  record.reason = reason_of(ending.why);
  log::access(record);
}

}  // namespace limpet::session
