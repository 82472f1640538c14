// Ring: a bounded queue between exactly one producer thread and one consumer thread. No locks, no waiting.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace limpet::tunnel {

template <class T, std::size_t kSize>
class Ring {
  static_assert((kSize & (kSize - 1)) == 0);

 public:
  bool push(T value) {  // producer; false if full
    const std::size_t at = tail_.load(std::memory_order_relaxed);
    if (at - head_.load(std::memory_order_acquire) == kSize) return false;
    items_[at % kSize] = value;
    tail_.store(at + 1, std::memory_order_release);
    return true;
  }
  bool pop(T& value) {  // consumer; false if empty
    const std::size_t at = head_.load(std::memory_order_relaxed);
    if (at == tail_.load(std::memory_order_acquire)) return false;
    value = items_[at % kSize];
    head_.store(at + 1, std::memory_order_release);
    return true;
  }
  std::size_t size() const {
    return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire);
  }

 private:
  std::array<T, kSize> items_{};
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace limpet::tunnel
