#include "proxy/net/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace limpet::net {
namespace {

void unlink(TimerNode& node) {
  node.prev->next = node.next;
  node.next->prev = node.prev;
  node.prev = node.next = nullptr;
}

void push_back(TimerNode& head, TimerNode& node) {
  node.prev = head.prev;
  node.next = &head;
  head.prev->next = &node;
  head.prev = &node;
}

}  // namespace

TimerWheel::TimerWheel(std::uint64_t now_ms) : tick_(now_ms / kTickMs) {
  for (TimerNode& head : slots_) head.prev = head.next = &head;
}

void TimerWheel::set(TimerNode& node, std::uint64_t deadline_ms) {
  if (node.armed()) cancel(node);
  node.deadline_ms = deadline_ms;
  place(node);
  ++size_;
}

// A node lies on the lowest level whose span, from the current tick, still holds its deadline.
void TimerWheel::place(TimerNode& node) {
  std::uint64_t due = (node.deadline_ms + kTickMs - 1) / kTickMs;  // rounded up: never early
  if (due < tick_) due = tick_;
  const std::uint64_t furthest = tick_ + (1ull << (kBits * kLevels)) - 1;
  if (due > furthest) due = furthest;  // spread out again when its slot comes up
  int level = 0;
  while (level < kLevels - 1 && (due >> (kBits * level)) - (tick_ >> (kBits * level)) >= kSlots) ++level;
  const int slot = level * kSlots + static_cast<int>((due >> (kBits * level)) % kSlots);
  node.slot = static_cast<std::uint16_t>(slot);
  push_back(slots_[static_cast<std::size_t>(slot)], node);
  bits_[static_cast<std::size_t>(slot) / 64] |= 1ull << (slot % 64);
}

void TimerWheel::cancel(TimerNode& node) {
  if (!node.armed()) return;
  unlink(node);
  --size_;
  TimerNode& head = slots_[node.slot];
  if (head.next == &head) bits_[node.slot / 64] &= ~(1ull << (node.slot % 64));
}

// At a multiple of 256 ticks the next slot of the level above is spread over the level below, and so on up.
void TimerWheel::cascade() {
  for (int level = 1; level < kLevels; ++level) {
    const std::uint64_t position = tick_ >> (kBits * level);
    TimerNode& head = slots_[static_cast<std::size_t>(level * kSlots) + position % kSlots];
    const auto slot = static_cast<std::size_t>(level * kSlots) + position % kSlots;
    bits_[slot / 64] &= ~(1ull << (slot % 64));
    TimerNode taken;  // first moved aside: place() may put a node back into this very slot
    taken.prev = taken.next = &taken;
    while (head.next != &head) {
      TimerNode& node = *head.next;
      unlink(node);
      push_back(taken, node);
    }
    while (taken.next != &taken) {
      TimerNode& node = *taken.next;
      unlink(node);
      place(node);
    }
    if (position % kSlots != 0) break;
  }
}

TimerNode* TimerWheel::expire(std::uint64_t now_ms) {
  const std::uint64_t now_tick = now_ms / kTickMs;
  while (true) {
    TimerNode& head = slots_[tick_ % kSlots];
    if (head.next != &head) {
      if (tick_ > now_tick) return nullptr;
      TimerNode& node = *head.next;
      cancel(node);
      return &node;
    }
    if (tick_ >= now_tick) return nullptr;
    if (size_ == 0) {
      tick_ = now_tick;
      return nullptr;
    }
    // Straight to the first occupied slot of any level: what lies before it is empty on all of them.
    tick_ = std::min(std::max(*next_ms() / kTickMs, tick_ + 1), now_tick);
    if (tick_ % kSlots == 0) cascade();
  }
}

// A higher level's first slot may come before a lower level's, so each is asked.
std::optional<std::uint64_t> TimerWheel::next_ms() const {
  if (size_ == 0) return std::nullopt;
  std::uint64_t soonest = ~0ull;
  for (int level = 0; level < kLevels; ++level) {
    const int shift = kBits * level;
    const std::uint64_t base = tick_ >> shift;
    const int first = static_cast<int>(base % kSlots);
    const int slot = first_occupied(level, first);
    if (slot < 0) continue;
    const auto distance = static_cast<std::uint64_t>((slot - first + kSlots) % kSlots);
    soonest = std::min(soonest, ((base + distance) << shift) * kTickMs);
  }
  return soonest;
}

// The first occupied slot of a level at or after `first`, going round; -1 if there is none.
int TimerWheel::first_occupied(int level, int first) const {
  constexpr int kWords = kSlots / 64;
  for (int step = 0; step <= kWords; ++step) {  // the first word is looked at twice: its tail, then its head
    const int word = (first / 64 + step) % kWords;
    std::uint64_t bits = bits_[static_cast<std::size_t>(level * kWords + word)];
    if (step == 0) bits &= ~0ull << (first % 64);
    if (step == kWords) bits &= (1ull << (first % 64)) - 1;
    if (bits != 0) return word * 64 + std::countr_zero(bits);
  }
  return -1;
}

}  // namespace limpet::net
