// DescriptorTurn: where descriptors have run out, who gives one up to make room must be the one who gets it.
//
// Taken around every call that makes a descriptor on a worker's way. Costs nothing until the process has met
// its limit; from then on a mutex. Any thread.
#pragma once

#include <atomic>
#include <mutex>

namespace limpet::net {

class DescriptorTurn {
 public:
  DescriptorTurn() {
    if (short_.load(std::memory_order_relaxed)) turn_ = std::unique_lock(mutex_);
  }
  // They have run out: from now on everybody takes turns, and this one is ours.
  void insist() {
    short_.store(true, std::memory_order_relaxed);
    if (!turn_.owns_lock()) turn_ = std::unique_lock(mutex_);
  }
  void end() {
    if (turn_.owns_lock()) turn_.unlock();
  }

 private:
  static inline std::atomic<bool> short_{false};
  static inline std::mutex mutex_;
  std::unique_lock<std::mutex> turn_;
};

}  // namespace limpet::net
