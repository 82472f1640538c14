#include "routing/pool.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "routing/xxh3.h"

namespace limpet::routing {
namespace {

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

template <class Map, class Key>
const Member* look_up(const Map& map, const Key& key, const std::vector<Member>& members) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &members[found->second];
}

}  // namespace

std::vector<Affinity> all_affinities() {
  return {Affinity::sid, Affinity::cookie, Affinity::source};
}

Pool::Pool(PoolSettings settings, std::vector<Member> members)
    : settings_(std::move(settings)), members_(std::move(members)), serial_(next_serial()) {
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    by_id_.emplace(member.server->id, i);
    by_tag_.emplace(member.server->tag, i);
    by_serial_.emplace(member.server->serial, i);
    if (member.weight == 0) continue;
    auto& seats = member.backup ? backup_seats_ : seats_;
    seats.push_back({member.server->id_hash, static_cast<double>(member.weight), i});
  }
  for (auto* seats : {&seats_, &backup_seats_}) {
    std::sort(seats->begin(), seats->end(), [](const Seat& a, const Seat& b) {
      return a.weight != b.weight ? a.weight < b.weight : a.index < b.index;
    });
  }
  double sum = 0;
  for (const Seat& seat : seats_) weights_up_to_.push_back(sum += seat.weight);
}

const Pool::Seat& Pool::seat_at(double fraction) const {
  const double weight = fraction * weights_up_to_.back();
  const auto found = std::upper_bound(weights_up_to_.begin(), weights_up_to_.end() - 1, weight);
  return seats_[static_cast<std::size_t>(found - weights_up_to_.begin())];
}

const Member* Pool::by_id(std::string_view id) const {
  return look_up(by_id_, id, members_);
}

const Member* Pool::by_tag(std::string_view tag) const {
  return look_up(by_tag_, tag, members_);
}

const Member* Pool::by_serial(std::uint32_t serial) const {
  return look_up(by_serial_, serial, members_);
}

bool Pool::holds(Affinity kind) const {
  return std::find(settings_.affinity.begin(), settings_.affinity.end(), kind) != settings_.affinity.end();
}

bool Pool::bounds_load() const {
  return settings_.bounded_load && (holds(Affinity::sid) || holds(Affinity::cookie));
}

std::uint64_t Pool::load() const {
  std::uint64_t sum = 0;
  for (const Member& member : members_) sum += member.server->in_use();
  return sum;
}

double slow_start_factor(const Server& server, std::uint64_t slow_start_ms, std::uint64_t now_ms) {
  constexpr double least = 0.1;
  const std::uint64_t began = server.view.slow_start_at_ms.load(std::memory_order_relaxed);
  if (began == 0 || slow_start_ms == 0) return 1.0;
  // A caller's clock may be read a little before the prober's: that is the beginning.
  const std::uint64_t passed = now_ms > began ? now_ms - began : 0;
  if (passed >= slow_start_ms) return 1.0;
  return least + (1.0 - least) * static_cast<double>(passed) / static_cast<double>(slow_start_ms);
}

std::uint64_t seed_of(std::string_view text) {
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace limpet::routing
