// TimerWheel: deadlines of one thread. Hierarchical, O(1) to set and cancel, never fires early, at most one
// tick (8 ms) late. Pure: time is handed in (milliseconds of a monotonic clock). Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace limpet::net {

// What a wheel holds: 32 bytes, part of its owner. Copying it would break the list, so it cannot be.
struct TimerNode {
  TimerNode() = default;
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  bool armed() const { return next != nullptr; }
  TimerNode* prev = nullptr;
  TimerNode* next = nullptr;
  std::uint64_t deadline_ms = 0;
  std::uint16_t slot = 0;  // where in the wheel, for the occupancy bits
  std::uint16_t user = 0;  // the owner's
};

class TimerWheel {
 public:
  static constexpr std::uint64_t kTickMs = 8;

  explicit TimerWheel(std::uint64_t now_ms);
  void set(TimerNode& node,
           std::uint64_t deadline_ms);  // re-arms if armed; a past deadline fires at the next advance
  void cancel(TimerNode& node);
  // Takes out everything that is due, one at a time, so that a callback may set or cancel any node:
  //   while (TimerNode* n = wheel.expire(now)) ...
  TimerNode* expire(std::uint64_t now_ms);
  // No node fires before this time; nothing if the wheel is empty. May be earlier than the first deadline (a
  // higher level has to be spread out then).
  std::optional<std::uint64_t> next_ms() const;
  std::size_t size() const { return size_; }

 private:
  static constexpr int kLevels = 4;
  static constexpr int kBits = 8;
  static constexpr int kSlots = 1 << kBits;
  void place(TimerNode& node);
  void cascade();
  int first_occupied(int level, int first) const;
  std::uint64_t tick_ = 0;  // everything before this tick has been taken out
  std::size_t size_ = 0;
  std::array<TimerNode, kLevels * kSlots> slots_;
  std::array<std::uint64_t, kLevels * kSlots / 64> bits_{};
};

}  // namespace limpet::net
