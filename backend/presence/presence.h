// Presence: which user is connected, where, kept in Redis for whoever wants to know (names.h says in which
// keys).
//
// Owned by the node, on its loop's thread. Told of each socket of a user as it comes and goes; writes what
// has changed, pipelined and bounded. While Redis is away it only keeps what lives; when Redis is back,
// whether as it was or empty, all of that is written again, spread, and what went meanwhile is taken out.
//
// Each process renews a heartbeat key that expires. Others clear up after one whose heartbeat has stopped;
// one that was taken for dead and is not (it was cut off, or stood still) sees so at its next beat and writes
// everything again. With the defaults nothing of a process that was killed is left after half a minute, if
// another node runs: 20 s until that is noticed, at the most, and some seconds for the largest. Knows users
// and ids of sockets, nothing of Socket.IO.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "backend/presence/names.h"
#include "backend/redis/redis.h"
#include "proxy/net/loop.h"

namespace limpet::presence {

struct Settings {
  std::string server_id;
  NameSettings names;
  std::uint64_t beat_ms = 5'000;  // between heartbeats, and between looks for nodes that have none
  std::uint64_t expiry_ms =
      15'000;  // of a heartbeat. Nobody is taken for dead so soon after our link came up.
};

struct Totals {
  std::size_t sockets = 0;  // of users, here, now
  std::size_t waiting = 0;  // of them: to be written
  std::uint64_t written = 0, dropped = 0, failed = 0;
  std::uint64_t repairs = 0;        // times when all was written again
  std::uint64_t nodes_swept = 0;    // cleared up after
  std::uint64_t sockets_swept = 0;  // of them
};

class Presence {
 public:
  Presence(net::Loop& loop, redis::Redis& redis, Settings settings);
  ~Presence();  // without a word to Redis: see leave()
  Presence(const Presence&) = delete;

  // A socket's id is there once; with recovery, where a newer one has its session, each connected() has its
  // own disconnected().
  void connected(std::string_view user, std::string_view socket);
  void disconnected(std::string_view socket);
  void on_link(bool up);  // of Redis: to be told of each change

  // Takes all of this process out of Redis. `done` once: as Redis has answered, or its link is lost.
  void leave(std::function<void()> done);
  Totals totals() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::presence
