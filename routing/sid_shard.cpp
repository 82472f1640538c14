#include "routing/sid_shard.h"

#include <algorithm>

namespace limpet::routing {
namespace {

// One source's share of the probation part, which is reckoned as half of the shard: what a hundred hostile
// addresses can hold together leaves the other half to everybody else, however long they keep on.
constexpr std::uint32_t kSourceShare = 200;
constexpr std::uint32_t kLeastOfOneSource = 8;

// Probation is the first to give way, but for its last 1/64: else a table full of settled sessions would
// forget each new one before its second request.
constexpr std::uint32_t kProbationFloor = 64;

constexpr std::uint32_t kFirstBuckets = 64;
constexpr std::uint64_t kMostClock = (std::uint64_t{1} << 40) - 1;

// Maps a hash evenly to [0, count) for any count.
std::uint32_t scaled(std::uint32_t hash, std::size_t count) {
  return static_cast<std::uint32_t>((std::uint64_t{hash} * count) >> 32);
}

}  // namespace

SidShard::SidShard(std::uint32_t capacity) : capacity_(capacity) {}

std::uint32_t SidShard::size() const {
  return list(Part::probation).size + list(Part::settled).size + list(Part::pinned).size;
}

std::uint32_t SidShard::most_of_one_source() const {
  return std::max(kLeastOfOneSource, capacity_ / kSourceShare);
}

std::size_t SidShard::most_bytes(std::uint32_t capacity) {
  const std::size_t slabs = (std::size_t{capacity} + kSlab - 1) / kSlab;
  const std::size_t buckets = capacity + std::size_t{capacity} / 2;
  return sizeof(SidShard) + capacity * sizeof(Entry) + slabs * sizeof(void*) + buckets * sizeof(Index);
}

// --- the public steps ---

void SidShard::learn(const Key& key, std::uint32_t source, std::uint32_t server_serial, std::uint32_t life_ms,
                     std::uint64_t now_ms) {
  if (capacity_ == 0) return;
  if (used_ever_ == 0) epoch_ms_ = now_ms;
  const std::uint64_t now = clock(now_ms);
  if (const Index known = find(key); known != kNone)
    remove(known);  // a server gave out a sid twice: the new one
  drop_expired(now);
  if (const Index* head = source_head(source);
      head && *head != kNone && at(*head).source_count >= most_of_one_source()) {
    if (!expired(at(*head), now)) ++evicted_;
    remove(*head);
  }
  if (size() == capacity_) make_room();
  const Index i = take_unused();
  Entry& entry = at(i);
  entry.key = key;
  entry.server_serial = server_serial;
  entry.life_ms = life_ms;
  entry.touched = now;
  entry.source = source;
  append(i, Part::probation);
  join_source(i);
  Index& bucket = bucket_of(key);
  entry.bucket_next = bucket;
  bucket = i;
}

std::optional<SidShard::Found> SidShard::touch(const Key& key, std::uint64_t now_ms) {
  const Index i = find(key);
  if (i == kNone) return std::nullopt;
  Entry& entry = at(i);
  const std::uint64_t now = clock(now_ms);
  if (expired(entry, now)) {
    remove(i);
    return std::nullopt;
  }
  entry.touched =
      std::max<std::uint64_t>(entry.touched, now);  // threads read their clocks at slightly other times
  move_to(i, part_of(entry) == Part::pinned ? Part::pinned : Part::settled);
  return Found{entry.server_serial, entry.life_ms};
}

void SidShard::pin(const Key& key) {
  if (const Index i = find(key); i != kNone) move_to(i, Part::pinned);
}

void SidShard::unpin(const Key& key, std::uint64_t now_ms) {
  const Index i = find(key);
  if (i == kNone || part_of(at(i)) != Part::pinned) return;
  at(i).touched = std::max<std::uint64_t>(at(i).touched, clock(now_ms));
  move_to(i, Part::settled);
}

void SidShard::forget(const Key& key) {
  if (const Index i = find(key); i != kNone) remove(i);
}

// --- time ---

std::uint64_t SidShard::clock(std::uint64_t now_ms) const {
  return now_ms > epoch_ms_ ? std::min(now_ms - epoch_ms_, kMostClock) : 0;
}

bool SidShard::expired(const Entry& entry, std::uint64_t clock) const {
  return part_of(entry) != Part::pinned && clock > entry.touched && clock - entry.touched > entry.life_ms;
}

// --- finding ---

SidShard::Index SidShard::find(const Key& key) const {
  if (buckets_.empty()) return kNone;
  Index i = buckets_[scaled(key[2], buckets_.size())];
  while (i != kNone && at(i).key != key) i = at(i).bucket_next;
  return i;
}

SidShard::Index& SidShard::bucket_of(const Key& key) {
  return buckets_[scaled(key[2], buckets_.size())];
}

SidShard::Index& SidShard::source_bucket_of(std::uint32_t source) {
  return source_buckets_[scaled(source, source_buckets_.size())];
}

// Both bucket arrays double until one bucket an entry, one for two sources. Done whole, under the shard's
// lock: some 15 times in the life of a shard.
void SidShard::grow_buckets() {
  const std::uint32_t count =
      std::min<std::uint64_t>(capacity_, std::max<std::uint64_t>(kFirstBuckets, buckets_.size() * 2));
  std::vector<Index> buckets(count, kNone);
  std::vector<Index> source_buckets(std::max(count / 2, 1u), kNone);
  buckets_.swap(buckets);
  source_buckets_.swap(source_buckets);
  for (Index i = 0; i < used_ever_; ++i) {
    Entry& entry = at(i);
    if (part_of(entry) == Part::unused) continue;
    Index& bucket = bucket_of(entry.key);
    entry.bucket_next = bucket;
    bucket = i;
    if (part_of(entry) != Part::probation || entry.source_count == 0) continue;
    Index& source_bucket = source_bucket_of(entry.source);
    entry.source_chain = source_bucket;
    source_bucket = i;
  }
}

// --- the three lists ---

void SidShard::append(Index i, Part part) {
  Entry& entry = at(i);
  List& to = list(part);
  entry.part = static_cast<std::uint64_t>(part);
  entry.older = to.newest;
  entry.newer = kNone;
  (to.newest == kNone ? to.oldest : at(to.newest).newer) = i;
  to.newest = i;
  ++to.size;
}

void SidShard::unlink(Index i) {
  const Entry& entry = at(i);
  List& from = list(part_of(entry));
  (entry.older == kNone ? from.oldest : at(entry.older).newer) = entry.newer;
  (entry.newer == kNone ? from.newest : at(entry.newer).older) = entry.older;
  --from.size;
}

void SidShard::move_to(Index i, Part part) {
  if (part_of(at(i)) == Part::probation) leave_source(i);
  if (part == part_of(at(i)) && list(part).newest == i) return;
  unlink(i);
  append(i, part);
}

// --- who brought it ---

SidShard::Index* SidShard::source_head(std::uint32_t source) {
  if (source_buckets_.empty()) return nullptr;
  Index* link = &source_bucket_of(source);
  while (*link != kNone && at(*link).source != source) link = &at(*link).source_chain;
  return link;
}

void SidShard::join_source(Index i) {
  Entry& entry = at(i);
  Index* link = source_head(entry.source);
  if (*link == kNone) {
    entry.source_older = entry.source_newer = i;
    entry.source_chain = kNone;
    entry.source_count = 1;
    *link = i;
    return;
  }
  const Index oldest = *link;
  Entry& head = at(oldest);
  entry.source_count = 0;
  entry.source_older = head.source_older;
  entry.source_newer = oldest;
  at(head.source_older).source_newer = i;
  head.source_older = i;
  ++head.source_count;
}

void SidShard::leave_source(Index i) {
  Entry& entry = at(i);
  Index* link = source_head(entry.source);
  Entry& head = at(*link);
  if (head.source_count == 1) {
    *link = head.source_chain;
    return;
  }
  at(entry.source_older).source_newer = entry.source_newer;
  at(entry.source_newer).source_older = entry.source_older;
  if (*link != i) {
    --head.source_count;
    return;
  }
  Entry& next = at(entry.source_newer);
  next.source_count = entry.source_count - 1;
  next.source_chain = entry.source_chain;
  *link = entry.source_newer;
}

// --- room ---

SidShard::Index SidShard::take_unused() {
  if (unused_ != kNone) {
    const Index i = unused_;
    unused_ = at(i).bucket_next;
    return i;
  }
  if (used_ever_ == buckets_.size()) grow_buckets();
  if (used_ever_ % kSlab == 0) {
    slabs_.reserve((capacity_ + kSlab - 1) / kSlab);
    slabs_.emplace_back(new Entry[std::min(kSlab, capacity_ - used_ever_)]);
  }
  return used_ever_++;
}

void SidShard::remove(Index i) {
  Entry& entry = at(i);
  Index* link = &bucket_of(entry.key);
  while (*link != i) link = &at(*link).bucket_next;
  *link = entry.bucket_next;
  if (part_of(entry) == Part::probation) leave_source(i);
  unlink(i);
  entry.part = static_cast<std::uint64_t>(Part::unused);
  entry.bucket_next = unused_;
  unused_ = i;
}

void SidShard::evict(Index i) {
  ++evicted_;
  remove(i);
}

// A few a call, so that no call is long: from both ends where the oldest are, and by a hand that goes round,
// since an entry with a long life may stand before expired ones.
void SidShard::drop_expired(std::uint64_t clock) {
  for (const Part part : {Part::probation, Part::settled}) {
    for (int n = 0; n < 2; ++n) {
      const Index oldest = list(part).oldest;
      if (oldest == kNone || !expired(at(oldest), clock)) break;
      remove(oldest);
    }
  }
  for (int n = 0; n < 2 && used_ever_ != 0; ++n) {
    swept_ = swept_ + 1 < used_ever_ ? swept_ + 1 : 0;
    if (part_of(at(swept_)) != Part::unused && expired(at(swept_), clock)) remove(swept_);
  }
}

void SidShard::make_room() {
  const List& probation = list(Part::probation);
  if (probation.size > capacity_ / kProbationFloor) return evict(probation.oldest);
  if (list(Part::settled).size != 0) return evict(list(Part::settled).oldest);
  if (list(Part::pinned).size != 0) return evict(list(Part::pinned).oldest);
  evict(probation.oldest);
}

}  // namespace limpet::routing
