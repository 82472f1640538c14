// RetryBudget: how many handshakes of one pool may be tried on a second server because the first was silent.
//
// One a pool, shared by all workers; counts in ten one-second buckets. At most 10 % of the handshakes of the
// last 10 s, and never fewer than 10. Time is handed in.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

namespace limpet::routing {

class RetryBudget {
 public:
  static constexpr std::uint64_t kSeconds = 10;
  static constexpr std::uint64_t kFloor = 10;

  void count_handshake(std::uint64_t now_ms) {
    std::lock_guard lock(mutex_);
    ++bucket(now_ms).handshakes;
  }
  // True, and counted, if one more may be tried again.
  bool take(std::uint64_t now_ms) {
    std::lock_guard lock(mutex_);
    std::uint64_t handshakes = 0, retries = 0;
    const std::uint64_t second = now_ms / 1000;
    for (const Bucket& each : buckets_) {
      if (each.second + kSeconds <= second) continue;
      handshakes += each.handshakes;
      retries += each.retries;
    }
    if (retries >= kFloor && retries * 10 >= handshakes) return false;
    ++bucket(now_ms).retries;
    return true;
  }

 private:
  struct Bucket {
    std::uint64_t second = 0;
    std::uint64_t handshakes = 0;
    std::uint64_t retries = 0;
  };
  Bucket& bucket(std::uint64_t now_ms) {
    const std::uint64_t second = now_ms / 1000;
    Bucket& each = buckets_[second % kSeconds];
    if (each.second != second) each = {second, 0, 0};
    return each;
  }
  std::mutex mutex_;  // held for a few instructions, once a handshake
  std::array<Bucket, kSeconds> buckets_{};
};

}  // namespace limpet::routing
