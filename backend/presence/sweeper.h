// Sweeper: finds lives that have ended without a word (their heartbeat has expired) and clears up after them,
// one at a time. Every node has one; which of them does the work they settle by a key that expires.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "backend/presence/scan.h"
#include "backend/presence/script.h"
#include "backend/presence/store.h"
#include "backend/redis/redis.h"

namespace limpet::presence {

class Sweeper {
 public:
  Sweeper(redis::Redis& redis, Store& store, const Names& names, const Life& own);
  ~Sweeper();

  // Once; what is found is cleared up after. To be called again and again: that also says that we are still
  // at it.
  void look();
  void give_up();                                     // the link was lost, or we leave
  std::uint64_t lives() const { return lives_; }      // cleared up after
  std::uint64_t sockets() const { return sockets_; }  // of them

 private:
  void on_lives(const redis::Result& result);
  void on_heartbeat(const std::string& life, const redis::Result& result);
  void next();
  void keep_turn();
  void clear(const std::string& life);
  void on_cleared(const std::string& life, Outcome outcome, std::size_t dropped);
  void forget(const std::string& life);

  redis::Redis& redis_;
  Store& store_;
  const Names& names_;
  const Life& own_;
  Script forget_;
  std::deque<std::string> ended_;  // to be cleared up after; the first is under way if busy_
  bool busy_ = false;
  std::shared_ptr<Scan> scan_;
  std::uint64_t lives_ = 0, sockets_ = 0;
  std::shared_ptr<char> now_ =
      std::make_shared<char>();  // answers to what was asked before give_up() are late
};

}  // namespace limpet::presence
