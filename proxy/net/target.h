// Target: the socket addresses of one server, as they are known now. The control thread publishes, workers
// read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "proxy/net/address.h"

namespace limpet::net {

class Target {
 public:
  using Addresses = std::vector<Address>;

  // Control thread. An empty list: the name does not resolve yet.
  void publish(Addresses addresses) {
    auto fresh = std::make_shared<const Addresses>(std::move(addresses));
    std::lock_guard lock(mutex_);
    addresses_ = std::move(fresh);
    version_.store(next_version(), std::memory_order_release);
  }
  // A reader keeps its own copy and asks version() before it takes the lock, so that the lock is taken only
  // after a change. A version is one of its kind in the process: another Target for the same server has
  // others.
  std::uint32_t version() const { return version_.load(std::memory_order_acquire); }
  std::shared_ptr<const Addresses> addresses() const {
    std::lock_guard lock(mutex_);
    return addresses_;
  }

 private:
  static std::uint32_t next_version() {
    static std::atomic<std::uint32_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  mutable std::mutex mutex_;
  std::shared_ptr<const Addresses> addresses_ = std::make_shared<const Addresses>();
  std::atomic<std::uint32_t> version_{0};
};

}  // namespace limpet::net
