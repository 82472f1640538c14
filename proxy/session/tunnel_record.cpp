#include "proxy/session/tunnel_record.h"

#include <algorithm>
#include <limits>

#include "proxy/net/loop.h"

namespace limpet::session {
namespace {

constexpr std::size_t kMostTarget = 256;  // of what stays in memory for days
constexpr std::size_t kMostAgent = 160;

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

TunnelRecord::TunnelRecord(Shared& shared, std::shared_ptr<routing::Server> server,
                           const log::AccessRecord& record, std::uint64_t begun_us, bool learned)
    : shared_(shared),
      server_(std::move(server)),
      begun_us_(begun_us),
      connect_us_(to_u32(record.connect_us)),
      first_byte_us_(to_u32(record.first_byte_us)),
      retries_(static_cast<std::uint16_t>(record.retries)),
      learned_(learned) {
  server_->load.tunnels_total.fetch_add(1, std::memory_order_relaxed);
  const std::string_view pieces[kPieces] = {record.client,
                                            record.request_id,
                                            record.method,
                                            record.host.substr(0, kMostTarget),
                                            record.target.substr(0, kMostTarget),
                                            record.route,
                                            record.by,
                                            record.sid,
                                            record.user_agent.substr(0, kMostAgent)};
  std::size_t total = 0;
  for (const std::string_view each : pieces) total += each.size();
  text_.reserve(total);
  for (std::size_t i = 0; i < kPieces; ++i) {
    at_[i] = static_cast<std::uint16_t>(text_.size());
    text_ += pieces[i];
  }
  at_[kPieces] = static_cast<std::uint16_t>(text_.size());
  if (learned_) shared_.sids.pin(record.sid);
}

TunnelRecord::~TunnelRecord() {
  server_->load.in_use.end_tunnel();
  shared_.connections.fetch_sub(1, std::memory_order_relaxed);
}

std::string_view TunnelRecord::piece(std::size_t index) const {
  return std::string_view(text_).substr(at_[index], at_[index + 1] - at_[index]);
}

void TunnelRecord::ended(const tunnel::Ending& ending) noexcept {
  server_->load.bytes_in.fetch_add(ending.bytes_in, std::memory_order_relaxed);
  server_->load.bytes_out.fetch_add(ending.bytes_out, std::memory_order_relaxed);
  if (learned_ && finished_upgrade(ending.bytes_in)) {
    shared_.sids.forget(piece(7));
  } else if (learned_) {
    shared_.sids.unpin(piece(7), net::now_ms());
  }
  if (!log::access_enabled()) return;
  constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  log::AccessRecord record;
  record.tunnel = true;
  record.client = piece(0);
  record.request_id = piece(1);
  record.method = piece(2);
  record.host = piece(3);
  record.target = piece(4);
  record.route = piece(5);
  record.by = piece(6);
  record.sid = piece(7);
  record.user_agent = piece(8);
  record.server = server_->id;
  record.status = 101;
  record.retries = retries_;
  record.connect_us = connect_us_ == kNone ? log::AccessRecord::kNever : connect_us_;
  record.first_byte_us = first_byte_us_ == kNone ? log::AccessRecord::kNever : first_byte_us_;
  record.total_us = net::now_us() - begun_us_;
  record.bytes_in = ending.bytes_in;
  record.bytes_out = ending.bytes_out;
  record.ended_by = name_of(ending.who);
  record.reason = reason_of(ending.why);
  log::access(record);
}

}  // namespace limpet::session
