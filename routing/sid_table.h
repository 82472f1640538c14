// SidTable: which server holds a plain (not self-naming) Engine.IO session. One a process, all threads.
//
// Bounded and sharded; each shard has a short lock of its own. Entries hold a 128-bit keyed hash of the sid, not
// the sid. An entry begins on probation (until a second request with that sid) and is the first to go; one source
// holds at most 1 % of the probation part. Time is handed in: milliseconds of any monotonic clock.
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
  explicit SidTable(std::size_t most_entries);  // memory for all is reserved lazily; at most 64 bytes each
  ~SidTable();

  // The answer that opened a session was seen. `life_ms` is pingInterval + pingTimeout.
  void learn(std::string_view sid, std::uint32_t server_serial, const ClientKey& source, std::uint32_t life_ms,
             std::uint64_t now_ms);

  struct Found {
    std::uint32_t server_serial;
    std::uint32_t life_ms;
  };
  // A request with this sid: ends probation, refreshes the entry. Expired entries are not found.
  std::optional<Found> touch(std::string_view sid, std::uint64_t now_ms);

  // A session became a tunnel: its entry stays until forget(), whatever its age.
  void pin(std::string_view sid);
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
