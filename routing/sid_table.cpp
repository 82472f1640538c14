#include "routing/sid_table.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <mutex>
#include <system_error>

#include <sys/random.h>

#include "routing/sid_shard.h"
#include "routing/xxh3.h"

namespace limpet::routing {
namespace {

constexpr std::size_t kMostShards = 16;
constexpr std::size_t kLeastOfShard = 1024;  // entries: a smaller table has fewer shards

std::size_t shards_for(std::size_t entries) {
  std::size_t shards = 1;
  while (shards < kMostShards && entries / (shards * 2) >= kLeastOfShard) shards *= 2;
  return shards;
}

struct alignas(64) LockedShard {
  explicit LockedShard(std::uint32_t capacity) : shard(capacity) {}
  mutable std::mutex lock;
  SidShard shard;
};

template <class Bytes>
void fill_randomly(Bytes& bytes) {  // up to 256 bytes come whole or not at all (getrandom(2))
  static_assert(sizeof bytes <= 256);
  if (::getrandom(&bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
}

}  // namespace

struct SidTable::Impl {
  explicit Impl(std::size_t most_entries) : most(most_entries) {
    fill_randomly(secret);
    fill_randomly(source_seed);
    const std::size_t count = shards_for(most);
    for (std::size_t i = 0; i < count; ++i) {
      shards.emplace_back(static_cast<std::uint32_t>(most / count + (i < most % count ? 1 : 0)));
    }
  }

  // Calls `step(shard, key)` with the shard of this sid, locked.
  template <class Step>
  auto with(std::string_view sid, Step step) {
    const XXH128_hash_t hash = XXH3_128bits_withSecret(sid.data(), sid.size(), secret.data(), secret.size());
    const SidShard::Key key{static_cast<std::uint32_t>(hash.low64),
                            static_cast<std::uint32_t>(hash.low64 >> 32),
                            static_cast<std::uint32_t>(hash.high64)};
    LockedShard& locked = shards[(hash.high64 >> 32) & (shards.size() - 1)];
    const std::lock_guard guard(locked.lock);
    return step(locked.shard, key);
  }

  template <class Count>
  std::uint64_t sum(Count count) const {
    std::uint64_t total = 0;
    for (const LockedShard& each : shards) {
      const std::lock_guard guard(each.lock);
      total += count(each.shard);
    }
    return total;
  }

  const std::size_t most;
  std::array<std::uint8_t, XXH3_SECRET_SIZE_MIN> secret;
  std::uint64_t source_seed;
  std::deque<LockedShard> shards;
};

SidTable::SidTable(std::size_t most_entries) : impl_(std::make_unique<Impl>(most_entries)) {}

SidTable::~SidTable() = default;

void SidTable::learn(std::string_view sid, std::uint32_t server_serial, const ClientKey& source,
                     std::uint32_t life_ms, std::uint64_t now_ms) {
  if (sid.empty()) return;
  const auto from = static_cast<std::uint32_t>(source.hash(impl_->source_seed));
  impl_->with(sid, [&](SidShard& shard, const SidShard::Key& key) {
    shard.learn(key, from, server_serial, life_ms, now_ms);
  });
}

std::optional<SidTable::Found> SidTable::touch(std::string_view sid, std::uint64_t now_ms) {
  const auto found =
      impl_->with(sid, [&](SidShard& shard, const SidShard::Key& key) { return shard.touch(key, now_ms); });
  if (!found) return std::nullopt;
  return Found{found->server_serial, found->life_ms};
}

void SidTable::pin(std::string_view sid) {
  impl_->with(sid, [](SidShard& shard, const SidShard::Key& key) { shard.pin(key); });
}

void SidTable::unpin(std::string_view sid, std::uint64_t now_ms) {
  impl_->with(sid, [now_ms](SidShard& shard, const SidShard::Key& key) { shard.unpin(key, now_ms); });
}

void SidTable::forget(std::string_view sid) {
  impl_->with(sid, [](SidShard& shard, const SidShard::Key& key) { shard.forget(key); });
}

std::size_t SidTable::size() const {
  return impl_->sum([](const SidShard& shard) { return shard.size(); });
}

std::size_t SidTable::on_probation() const {
  return impl_->sum([](const SidShard& shard) { return shard.on_probation(); });
}

std::size_t SidTable::most() const {
  return impl_->most;
}

std::uint64_t SidTable::evicted() const {
  return impl_->sum([](const SidShard& shard) { return shard.evicted(); });
}

std::size_t SidTable::bytes_per_entry() const {
  std::size_t bytes = sizeof(Impl);
  const std::size_t count = impl_->shards.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto capacity = static_cast<std::uint32_t>(impl_->most / count + (i < impl_->most % count ? 1 : 0));
    bytes += sizeof(LockedShard) - sizeof(SidShard) + SidShard::most_bytes(capacity);
  }
  return impl_->most == 0 ? 0 : (bytes + impl_->most - 1) / impl_->most;
}

}  // namespace limpet::routing
