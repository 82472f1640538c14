// SidShard: one part of the SidTable: its entries, how they are found, and the order in which they go.
//
// Owned by SidTable, which holds the shard's lock around each call. Knows hashes, not sids and not addresses.
// Entries refer to each other by index, lie in slabs that are allocated as they are needed, and are in
//   - a hash chain by key,
//   - one of three lists from oldest to newest touch: probation, settled, pinned,
//   - while on probation, a ring of their source's, whose oldest entry (the head) stands in a chain by source
//     and counts for all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace limpet::routing {

class SidShard {
 public:
  using Key = std::array<std::uint32_t, 3>;  // 96 bits of a keyed hash

  struct Found {
    std::uint32_t server_serial;
    std::uint32_t life_ms;
  };

  explicit SidShard(std::uint32_t capacity);

  void learn(const Key& key, std::uint32_t source, std::uint32_t server_serial, std::uint32_t life_ms,
             std::uint64_t now_ms);
  std::optional<Found> touch(const Key& key, std::uint64_t now_ms);
  void pin(const Key& key);
  void unpin(const Key& key, std::uint64_t now_ms);
  void forget(const Key& key);

  std::uint32_t size() const;
  std::uint32_t on_probation() const { return list(Part::probation).size; }
  std::uint64_t evicted() const { return evicted_; }
  std::uint32_t most_of_one_source() const;

  static std::size_t most_bytes(std::uint32_t capacity);  // all that a shard ever allocates, itself included

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = std::numeric_limits<Index>::max();
  static constexpr std::uint32_t kSlab = 256;  // entries

  enum class Part : std::uint8_t { probation, settled, pinned, unused };

  struct Entry {
    Key key;
    std::uint32_t server_serial;
    std::uint32_t life_ms;
    Index bucket_next;  // of an unused entry: the next unused one
    Index older;
    Index newer;
    std::uint32_t source;  // these four: on probation only
    Index source_older;    // a ring: of the head, the newest
    Index source_newer;
    Index source_chain;               // of a head: the next head in its bucket
    std::uint64_t source_count : 22;  // of a head: entries in its ring; else 0
    std::uint64_t touched : 40;       // milliseconds since the shard's first entry: 34 years
    std::uint64_t part : 2;
  };
  static_assert(sizeof(Entry) == 56);

  struct List {
    Index oldest = kNone;
    Index newest = kNone;
    std::uint32_t size = 0;
  };

  Entry& at(Index i) { return slabs_[i / kSlab][i % kSlab]; }
  const Entry& at(Index i) const { return slabs_[i / kSlab][i % kSlab]; }
  static Part part_of(const Entry& entry) { return static_cast<Part>(entry.part); }
  List& list(Part part) { return lists_[static_cast<std::size_t>(part)]; }
  const List& list(Part part) const { return lists_[static_cast<std::size_t>(part)]; }

  std::uint64_t clock(std::uint64_t now_ms) const;
  bool expired(const Entry& entry, std::uint64_t clock) const;

  Index find(const Key& key) const;
  Index& bucket_of(const Key& key);
  Index& source_bucket_of(std::uint32_t source);
  void grow_buckets();

  void append(Index i, Part part);
  void unlink(Index i);
  void move_to(Index i, Part part);

  Index* source_head(std::uint32_t source);  // the link that leads to it, or to kNone
  void join_source(Index i);
  void leave_source(Index i);

  Index take_unused();
  void remove(Index i);
  void evict(Index i);
  void drop_expired(std::uint64_t clock);
  void make_room();

  const std::uint32_t capacity_;
  std::uint32_t used_ever_ = 0;  // entries below this were used once
  Index unused_ = kNone;
  Index swept_ = 0;
  std::uint64_t epoch_ms_ = 0;
  std::uint64_t evicted_ = 0;
  std::array<List, 3> lists_;
  std::vector<Index> buckets_;
  std::vector<Index> source_buckets_;
  std::vector<std::unique_ptr<Entry[]>> slabs_;
};

}  // namespace limpet::routing
