// Lane: finished lines of one thread on their way to a writer. A ring of bytes between exactly one producer and
// one consumer; whole lines only; no locks, no waiting.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace limpet::log {

class Lane {
 public:
  explicit Lane(std::size_t bytes) : size_(bytes), ring_(std::make_unique<char[]>(bytes)) {}

  // Producer. False if there is no room for all of it.
  bool push(std::string_view line) {
    const std::size_t at = tail_.load(std::memory_order_relaxed);
    if (line.size() > size_ - (at - head_.load(std::memory_order_acquire))) return false;
    const std::size_t first = std::min(line.size(), size_ - at % size_);
    line.copy(&ring_[at % size_], first);
    line.substr(first).copy(&ring_[0], line.size() - first);
    // Sequentially consistent with the writer's signal: see Writer::put().
    tail_.store(at + line.size(), std::memory_order_seq_cst);
    return true;
  }
  bool half_full() const {
    return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed) > size_ / 2;
  }

  // Consumer: appends all there is.
  void drain(std::string& out) {
    const std::size_t from = head_.load(std::memory_order_relaxed);
    const std::size_t to = tail_.load(std::memory_order_seq_cst);
    const std::size_t first = std::min(to - from, size_ - from % size_);
    out.append(&ring_[from % size_], first);
    out.append(&ring_[0], to - from - first);
    head_.store(to, std::memory_order_release);
  }

  std::atomic<bool> retired{false};  // its thread has ended

 private:
  const std::size_t size_;
  const std::unique_ptr<char[]> ring_;
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace limpet::log
