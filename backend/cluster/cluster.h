// Cluster: adapters that join this node with others through Redis, on the wire of Node.js's own.
//
//   classic   @socket.io/redis-adapter: PUBLISH, one channel a namespace and room
//   sharded   the same package's createShardedAdapter(): SPUBLISH (Redis 7)
//   streams   @socket.io/redis-streams-adapter 0.3: XADD, sessions that can be restored
//
// Each factory keeps `redis`, which outlives every adapter. One loop's thread. Whatever a publisher sends is
// read with care: what is not understood is counted and dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "backend/adapter/adapter.h"
#include "backend/redis/redis.h"

namespace limpet::cluster {

// What came in and could not be used, for all namespaces of a process.
struct Totals {
  std::uint64_t received = 0;    // messages of others that were acted upon
  std::uint64_t malformed = 0;   // not read, or not as it should be
  std::uint64_t unanswered = 0;  // questions that ended by their timeout
  std::uint64_t gaps = 0;        // times when messages may have been lost
  std::uint64_t sessions_saved = 0, sessions_restored = 0;
  std::size_t nodes = 0;  // in the cluster as last counted, this one included; 0: not known
};
using Tally = std::shared_ptr<Totals>;

struct ClassicSettings {
  std::string key = "socket.io";
  std::uint64_t requests_timeout_ms = 5'000;
  bool publish_on_specific_response_channel = false;
};
adapter::Factory classic(redis::Redis& redis, const ClassicSettings& settings, Tally tally);

// Without recovery: with it configured Node.js's appends "" here and null elsewhere to each event, by which
// no client can come back; this one appends nothing.
enum class SubscriptionMode : std::uint8_t { static_, dynamic, dynamic_private };
struct ShardedSettings {
  std::string channel_prefix = "socket.io";
  SubscriptionMode mode = SubscriptionMode::dynamic;
  std::uint64_t requests_timeout_ms = 5'000;
};
adapter::Factory sharded(redis::Redis& redis, const ShardedSettings& settings, Tally tally);

// A node does its own part of what it says once Redis has taken it; while there is no Redis, at once. All
// namespaces are read from one connection a stream.
struct StreamsSettings {
  std::string stream = "socket.io";
  std::uint32_t stream_count = 1;
  std::string channel_prefix = "socket.io";
  bool sharded_pubsub = false;
  std::uint64_t max_length = 10'000;
  std::uint32_t read_count = 100;
  std::uint64_t block_ms = 5'000;
  std::string session_key_prefix = "sio:session:";
  bool only_plaintext = false;
  std::uint64_t requests_timeout_ms = 5'000;
  // Recovery; 0: off. Sessions are kept for so long.
  std::uint64_t max_disconnection_ms = 0;
  // Adapter::saves_early(): sessions are saved while their sockets live, of 50,000 a namespace.
  bool eager = false;
  // Told once when nobody else is on the stream while others count on the channels.
  std::function<void(std::string_view what)> on_warning;
};
adapter::Factory streams(redis::Redis& redis, const StreamsSettings& settings, Tally tally);

}  // namespace limpet::cluster
