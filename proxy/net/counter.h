// Counter: written by one thread, read by any. No locked instruction.
#pragma once

#include <atomic>
#include <cstdint>

namespace limpet::net {

class Counter {
 public:
  void add(std::uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace limpet::net
