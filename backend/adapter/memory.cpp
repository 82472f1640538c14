#include "backend/adapter/memory.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "backend/adapter/room_set.h"

namespace limpet::adapter {
namespace {

constexpr std::uint64_t kSweepMs = 60'000;

std::uint64_t since_1970_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

// Sizes are what is kept, to about a quarter: each text with what holds it.
constexpr std::size_t kEntry = 64;

std::size_t bytes_of(const std::vector<std::string>& names) {
  std::size_t bytes = 0;
  for (const std::string& name : names) bytes += sizeof name + (name.size() < 16 ? 0 : name.size() + 16);
  return bytes;
}

std::size_t bytes_of(const Encoded& packet, const Target& target) {
  return kEntry * (1 + packet.attachments.size()) + packet.bytes() + bytes_of(target.rooms) +
         bytes_of(target.except);
}

std::size_t bytes_of(const boost::json::value& value) {
  std::size_t bytes = sizeof value;
  if (const auto* text = value.if_string()) {
    bytes += text->size();
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) bytes += bytes_of(element);
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) bytes += kEntry + member.key().size() + bytes_of(member.value());
  }
  return bytes;
}

std::size_t bytes_of(const Session& session) {
  return 4 * kEntry + session.sid.size() + 3 * session.pid.size() + bytes_of(session.rooms) +
         bytes_of(session.data);
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
  const std::size_t bytes = bytes_of(packet, target);
  kept_.push_back({offset, net::now_ms(), packet, target, bytes});
  kept_bytes_ += bytes;
  kept_beside_.set(kept_beside_.bytes() + bytes - packet.bytes());
  while (kept_.size() > settings_.max_packets || kept_bytes_ > settings_.max_bytes) forget_oldest_packet();
  if (!sweep_.armed()) sweep_.after(kSweepMs);
}

void Memory::forget_oldest_packet() {
  const Kept& oldest = kept_.front();
  kept_bytes_ -= oldest.bytes;
  kept_beside_.set(kept_beside_.bytes() - (oldest.bytes - oldest.packet.bytes()));
  kept_.pop_front();
}

std::size_t Memory::let_go(std::size_t bytes) {
  const std::size_t before = kept_.size();
  const std::size_t rest = kept_bytes_ - std::min(kept_bytes_, bytes);
  while (kept_bytes_ > rest) forget_oldest_packet();
  return before - kept_.size();
}

void Memory::persist(Session session) {
  const std::uint64_t now = net::now_ms();
  away_since_.emplace_back(now, session.pid);
  Away& away = away_[session.pid];
  away_bytes_ -= std::exchange(away.bytes, bytes_of(session));
  away_bytes_ += away.bytes;
  away.session = std::move(session);
  away.since_ms = now;
  while (away_since_.size() > settings_.max_sessions || away_bytes_ > settings_.max_session_bytes)
    forget_oldest_session();
  if (!sweep_.armed()) sweep_.after(kSweepMs);
}

// Whoever came back and was lost again stands further behind, too.
void Memory::forget_oldest_session() {
  const auto& [since, oldest] = away_since_.front();
  const auto at = away_.find(oldest);
  if (at != away_.end() && at->second.since_ms == since) {
    away_bytes_ -= at->second.bytes;
    away_.erase(at);
  }
  away_since_.pop_front();
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
  const RoomSet rooms(restored.session.rooms);
  for (++packet; packet != kept_.end(); ++packet) {
    if (rooms.hears(packet->target)) restored.missed.push_back(packet->packet);
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
  while (!kept_.empty() && kept_.front().time_ms < oldest) forget_oldest_packet();
  while (!away_since_.empty() && away_since_.front().first < oldest) forget_oldest_session();
  if (!kept_.empty() || !away_since_.empty()) sweep_.after(kSweepMs);
}

}  // namespace limpet::adapter
