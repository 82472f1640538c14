// Scan: goes through what a life has written, page by page, and drops of it what is not to stay: of a life
// that has ended everything, of our own what we do not have any more. One page is under way at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "backend/presence/store.h"
#include "backend/redis/redis.h"

namespace limpet::presence {

class Scan : public std::enable_shared_from_this<Scan> {
 public:
  struct Work {
    redis::Redis& redis;
    Store& store;
    const Names& names;
    Life life;
    std::function<bool(const Socket& socket)> stays;  // unset: none
  };
  // `done` once, unless it is given up: with how many were dropped.
  using Done = std::function<void(Outcome, std::size_t dropped)>;

  static std::shared_ptr<Scan> start(Work work, Done done);
  Scan(Work work, Done done) : work_(std::move(work)), done_(std::move(done)) {}
  void give_up() { done_ = {}; }        // what is under way ends without a word
  bool over() const { return !done_; }  // at once, where Redis takes nothing now

 private:
  void ask();
  void on_page(const redis::Result& result);
  void drop(const Socket& socket);
  void settle();  // one that was owed has come
  void finish(Outcome outcome);

  Work work_;
  Done done_;
  std::string cursor_ = "0";
  std::size_t owed_ = 0;
  std::size_t dropped_ = 0;
  Outcome worst_ = Outcome::done;
};

}  // namespace limpet::presence
