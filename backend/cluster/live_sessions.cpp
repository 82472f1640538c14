#include "backend/cluster/live_sessions.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace limpet::cluster {
namespace {

constexpr std::uint64_t kTicks = 60;  // of half an expiry
constexpr std::uint64_t kLeastMs = 10;

}  // namespace

LiveSessions::LiveSessions(net::Loop& loop, std::uint64_t expiry_ms, Renew renew)
    : period_ms_(std::max(expiry_ms / 2, kLeastMs)),
      tick_ms_(std::max(period_ms_ / kTicks, kLeastMs)),
      renew_(std::move(renew)),
      timer_(loop, net::delegate<&LiveSessions::on_tick>(this)) {}

bool LiveSessions::keep(const std::string& pid, const std::string& sid) {
  auto at = table_.find(pid);
  if (at == table_.end()) {
    if (table_.size() >= kMost) return false;
    line_.push_back({pid, sid, 0});
    at = table_.emplace(line_.back().pid, std::prev(line_.end())).first;
  } else {
    line_.splice(line_.end(), line_, at->second);
  }
  at->second->due_ms = net::now_ms() + period_ms_;
  if (!timer_.armed()) timer_.after(tick_ms_);
  return true;
}

void LiveSessions::drop(std::string_view pid) {
  const auto at = table_.find(pid);
  if (at == table_.end()) return;
  const auto place = at->second;
  table_.erase(at);
  line_.erase(place);
}

void LiveSessions::on_tick() {
  const std::uint64_t now = net::now_ms();
  while (!line_.empty() && line_.front().due_ms <= now + tick_ms_) {
    line_.splice(line_.end(), line_, line_.begin());
    Kept& kept = line_.back();
    kept.due_ms = now + tick_ms_ + period_ms_;
    const std::string pid = kept.pid, sid = kept.sid;  // it may be dropped from within
    renew_(pid, sid);
  }
  if (!line_.empty()) timer_.after(tick_ms_);
}

}  // namespace limpet::cluster
