#include "backend/adapter/memory.h"

#include <algorithm>
#include <chrono>

namespace limpet::adapter {
namespace {

constexpr std::uint64_t kSweepMs = 60'000;

std::uint64_t since_1970_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

bool any_of(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  return std::any_of(some.begin(), some.end(), [&](const std::string& one) {
    return std::find(others.begin(), others.end(), one) != others.end();
  });
}

std::size_t bytes_of(const Encoded& packet) {
  std::size_t bytes = packet.head->body().size();
  for (const auto& attachment : packet.attachments) bytes += attachment->body().size();
  return bytes;
}

}  // namespace

Memory::Memory(Host& host, const Settings& settings)
    : host_(host), settings_(settings), sweep_(host.loop(), net::delegate<&Memory::forget_old>(this)) {}

void Memory::broadcast(const Event& event, const Target& target) {
  if (!settings_.recovery || target.flags.volatile_)
    return host_.deliver(host_.encode(event, std::nullopt), target);
  const Yeast::Stamp offset = yeast_.next(since_1970_ms());
  const Encoded packet = host_.encode(event, offset.text());
  keep(packet, target, offset);
  host_.deliver(packet, target);
}

void Memory::broadcast_with_ack(const Event& event, const Target& target,
                                std::function<void(std::size_t)> on_clients,
                                std::function<void(const Args&)> on_ack) {
  on_clients(host_.deliver_with_ack(event, target, std::move(on_ack)));
}

void Memory::fetch_sockets(const Target& target,
                           std::function<void(std::string_view, std::vector<RemoteSocket>)> done) {
  std::vector<RemoteSocket> found;
  host_.fetch(target, found);
  done({}, std::move(found));
}

void Memory::server_side_emit(std::string_view, const Args&,
                              std::function<void(std::string_view, const Args&)> done) {
  if (done) done({}, {});  // nobody else is there
}

void Memory::keep(const Encoded& packet, const Target& target, const Yeast::Stamp& offset) {
  const std::size_t bytes = bytes_of(packet);
  kept_.push_back({offset, net::now_ms(), packet, target.rooms, target.except, bytes});
  kept_bytes_ += bytes;
  while (kept_.size() > settings_.max_packets || kept_bytes_ > settings_.max_bytes) {
    kept_bytes_ -= kept_.front().bytes;
    kept_.pop_front();
  }
  if (!sweep_.armed()) sweep_.after(kSweepMs);
}

void Memory::persist(Session session) {
  const std::uint64_t now = net::now_ms();
  away_since_.emplace_back(now, session.pid);
  std::string pid = session.pid;
  away_.insert_or_assign(std::move(pid), Away{std::move(session), now});
  while (away_since_.size() > settings_.max_sessions) {
    const auto& [since, oldest] = away_since_.front();
    const auto at = away_.find(oldest);
    if (at != away_.end() && at->second.since_ms == since) away_.erase(at);
    away_since_.pop_front();
  }
  if (!sweep_.armed()) sweep_.after(kSweepMs);
}

// A session stays as it is: who comes back may be lost again before the answer has reached it.
void Memory::restore(std::string_view pid, std::string_view offset,
                     std::function<void(std::optional<Restored>)> done) {
  const auto away = away_.find(std::string(pid));
  if (away == away_.end() || away->second.since_ms + settings_.max_disconnection_ms < net::now_ms())
    return done(std::nullopt);
  auto packet = find(offset);
  if (packet == kept_.end()) return done(std::nullopt);
  Restored restored{away->second.session, {}};
  const auto& rooms = restored.session.rooms;
  for (++packet; packet != kept_.end(); ++packet) {
    const bool meant = packet->rooms.empty() || any_of(packet->rooms, rooms);
    if (meant && !any_of(packet->except, rooms)) restored.missed.push_back(packet->packet);
  }
  done(std::move(restored));
}

// Offsets ascend; an offset has one text.
std::deque<Memory::Kept>::const_iterator Memory::find(std::string_view offset) const {
  const auto stamp = Yeast::read(offset);
  if (!stamp) return kept_.end();
  const auto at =
      std::lower_bound(kept_.begin(), kept_.end(), *stamp,
                       [](const Kept& kept, const Yeast::Stamp& wanted) { return kept.offset < wanted; });
  return at != kept_.end() && at->offset == *stamp ? at : kept_.end();
}

void Memory::forget_old() {
  const std::uint64_t now = net::now_ms();
  const std::uint64_t oldest = now - std::min(now, settings_.max_disconnection_ms);
  while (!kept_.empty() && kept_.front().time_ms < oldest) {
    kept_bytes_ -= kept_.front().bytes;
    kept_.pop_front();
  }
  while (!away_since_.empty() && away_since_.front().first < oldest) {
    const auto at = away_.find(away_since_.front().second);
    if (at != away_.end() && at->second.since_ms == away_since_.front().first) away_.erase(at);
    away_since_.pop_front();
  }
  if (!kept_.empty() || !away_since_.empty()) sweep_.after(kSweepMs);
}

}  // namespace limpet::adapter
