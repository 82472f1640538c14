// IdlePool: one worker's idle connections to servers, kept for the next plain request.
//
// The newest is given out first, so that the rest can age out. A connection that becomes readable while idle
// is closed: its server has ended it, or sends what nobody asked for. Only on the worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

#include "proxy/net/loop.h"
#include "proxy/net/stream.h"

namespace limpet::upstream {

class IdlePool {
 public:
  static constexpr std::size_t kMostPerServer = 128;

  explicit IdlePool(net::Loop& loop) : loop_(loop) {}
  ~IdlePool() { clear(); }

  // An empty stream if there is none that is open and silent.
  net::Stream take(std::uint32_t server_serial);
  void put(std::uint32_t server_serial, net::Stream stream, std::uint64_t keep_ms);
  void drop(std::uint32_t server_serial);
  void clear();
  std::size_t size() const;

 private:
  struct Entry {
    explicit Entry(IdlePool& pool) : pool(pool), expiry(pool.loop_, net::delegate<&Entry::end>(this)) {}
    void end();
    IdlePool& pool;
    std::uint32_t serial = 0;
    net::Stream stream;
    net::Timer expiry;
    std::list<Entry>::iterator self;
  };
  using Entries = std::list<Entry>;
  void release(Entries& idle, Entries::iterator entry);
  net::Loop& loop_;
  std::unordered_map<std::uint32_t, Entries> servers_;
  Entries spare_;  // nodes for the next ones
};

}  // namespace limpet::upstream
