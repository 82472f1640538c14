// SidTable: which server holds a plain (not self-naming) Engine.IO session. One a process, all threads.
//
// Bounded and sharded; each shard has a short lock of its own. Entries hold 96 bits of a 128-bit keyed hash
// of the sid, not the sid; the key is drawn anew by each process, so that nobody can aim at a shard or a
// bucket. Time is handed in: milliseconds of any clock; an entry lives `life_ms` after its last touch.
//
// What goes when a shard is full: the oldest expired entry, then the oldest on probation (no second request
// yet), then the oldest settled one, then the oldest pinned one. The last 1/64 of a shard is left to
// probation, so that new sessions can settle in a table full of old ones. One source holds at most 1 % of the
// probation part, reckoned as half of a shard, and at least 8 entries a shard: beyond that its own oldest
// goes. So abandoned opens from a hundred addresses never displace another's session; a session that shares
// its address with a flood holds if its second request comes before some 5000 more opens of that address
// (default size: 312 a shard, 16 shards), and once settled it holds.
//
// Cost: 63 bytes an entry at 10^6, buckets and the lists of sources included (an idle table: under 16 KiB). A
// lookup takes 75 ns while its entry is in cache; at 10^6 entries touched at random some 1 us, most of it
// waiting for memory, an unknown sid 0.4 us, learning 0.7 us (`unit_routing --gtest_filter=Cost.SidTable`,
// release preset).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "routing/client_key.h"

namespace limpet::routing {

class SidTable {
 public:
  // Memory comes as it is needed, at most 64 bytes an entry. 0: nothing is ever kept.
  explicit SidTable(std::size_t most_entries);
  ~SidTable();

  // The answer that opened a session was seen. `life_ms` is pingInterval + pingTimeout.
  void learn(std::string_view sid, std::uint32_t server_serial, const ClientKey& source,
             std::uint32_t life_ms, std::uint64_t now_ms);

  struct Found {
    std::uint32_t server_serial;
    std::uint32_t life_ms;
  };
  // A request with this sid: ends probation, refreshes the entry. Expired entries are not found.
  std::optional<Found> touch(std::string_view sid, std::uint64_t now_ms);

  // A session became a tunnel: its entry stays, whatever its age, until forget() or unpin().
  void pin(std::string_view sid);
  // The tunnel has ended and the session may live on: its entry counts as touched now.
  void unpin(std::string_view sid, std::uint64_t now_ms);
  void forget(std::string_view sid);

  std::size_t size() const;
  std::size_t on_probation() const;
  std::size_t most() const;
  std::size_t bytes_per_entry() const;  // all told, for the documentation and a test
  std::uint64_t evicted() const;        // entries that went before their time

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::routing
