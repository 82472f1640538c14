// Slots: which of a cluster's 16384 slots a key is in, and what servers say of where slots are. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "backend/redis/reply.h"
#include "backend/redis/settings.h"

namespace limpet::redis {

constexpr std::size_t kSlots = 16384;

// Of the part in braces, if there is one that is not empty.
std::uint16_t slot_of(std::string_view key);

struct SlotRange {
  std::uint16_t first = 0, last = 0;
  Endpoint master;
};
// The answer to CLUSTER SLOTS; a server that does not know its own address is the one that was asked.
// Nothing: it is no such answer, or names no master at all.
std::optional<std::vector<SlotRange>> read_slots(const Reply& reply, const Endpoint& asked);

// "MOVED 3999 10.0.0.1:6381" or "ASK ...", from that server.
struct Redirect {
  bool ask = false;
  std::uint16_t slot = 0;
  Endpoint to;
};
std::optional<Redirect> read_redirect(std::string_view error, const Endpoint& from);

// A host and a port as servers name each other. Nothing if it can be none.
std::optional<Endpoint> read_endpoint(std::string_view host, std::optional<std::int64_t> port);

}  // namespace limpet::redis
