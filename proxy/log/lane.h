// Lane: finished lines of one thread on their way to a writer. A ring of bytes between exactly one producer
// and one consumer; whole lines only; no locks, no waiting.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace limpet::log {

class Lane {
 public:
  enum class Pushed : unsigned char { no_room, calm, crowded };  // crowded: more than half of it is taken

  explicit Lane(std::size_t bytes) : size_(bytes), ring_(new char[bytes]) {
    assert(std::has_single_bit(bytes));
  }

  // Producer. The whole line, or nothing of it.
  Pushed push(std::string_view line) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - seen_head_ + line.size() >
        size_ / 2) {  // the consumer's line of the cache is asked for only then
      seen_head_ = head_.load(std::memory_order_acquire);
      if (line.size() > size_ - (tail - seen_head_)) return Pushed::no_room;
    }
    const std::size_t at = tail & (size_ - 1), first = std::min(line.size(), size_ - at);
    line.copy(&ring_[at], first);
    line.substr(first).copy(&ring_[0], line.size() - first);
    // Sequentially consistent with the writer's news: see Writer::put().
    tail_.store(tail + line.size(), std::memory_order_seq_cst);
    return tail + line.size() - seen_head_ > size_ / 2 ? Pushed::crowded : Pushed::calm;
  }
  // Producer: there will be no more.
  void retire() { retired_.store(true, std::memory_order_release); }

  // Consumer: appends all there is.
  void drain(std::string& out) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    const std::size_t tail = tail_.load(std::memory_order_seq_cst);
    const std::size_t at = head & (size_ - 1), first = std::min(tail - head, size_ - at);
    out.append(&ring_[at], first);
    out.append(&ring_[0], tail - head - first);
    head_.store(tail, std::memory_order_release);
  }
  // Consumer. What is drained after this was true is the last.
  bool retired() const { return retired_.load(std::memory_order_acquire); }

 private:
  const std::size_t size_;
  const std::unique_ptr<char[]> ring_;  // not cleared: its pages come as they are used
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
  std::size_t seen_head_ = 0;  // the producer's
  std::atomic<bool> retired_{false};
};

}  // namespace limpet::log
