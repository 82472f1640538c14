// SessionTable: who has which sid. Open addressing by the sid's first 8 characters, which are 48 random bits
// of our own making: nobody outside can make them collide.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace limpet::engine {

// S has sid(). Holds borrowed pointers.
template <class S>
class SessionTable {
 public:
  std::size_t size() const { return size_; }

  S* find(std::string_view sid) const {
    if (size_ == 0 || sid.size() < sizeof(std::uint64_t)) return nullptr;
    const std::uint64_t key = key_of(sid);
    for (std::size_t i = home_of(key); slots_[i].session != nullptr; i = next(i)) {
      if (slots_[i].key == key && slots_[i].session->sid() == sid) return slots_[i].session;
    }
    return nullptr;
  }

  void add(S& session) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    place({key_of(session.sid()), &session});
    ++size_;
  }

  void remove(const S& session) {
    std::size_t hole = home_of(key_of(session.sid()));
    while (slots_[hole].session != &session) {
      if (slots_[hole].session == nullptr) return;
      hole = next(hole);
    }
    // Whoever stands behind the hole moves into it, unless that would be before its home.
    for (std::size_t i = next(hole); slots_[i].session != nullptr; i = next(i)) {
      if (((i - home_of(slots_[i].key)) & mask()) < ((i - hole) & mask())) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole] = {};
    --size_;
  }

  // Any session from this place on, round the table; `place` is then behind it. Good while others come and
  // go: nobody who stays is passed over for ever.
  S* next_from(std::size_t& place) const {
    for (std::size_t looked = 0; looked < slots_.size(); ++looked) {
      const Slot& slot = slots_[place++ & mask()];
      if (slot.session != nullptr) return slot.session;
    }
    return nullptr;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    S* session = nullptr;
  };
  static std::uint64_t key_of(std::string_view sid) {
    std::uint64_t key;
    std::memcpy(&key, sid.data(), sizeof key);
    return key;
  }
  std::size_t mask() const { return slots_.size() - 1; }
  std::size_t next(std::size_t i) const { return (i + 1) & mask(); }
  // The bits of a character that vary are its low ones: multiplied, all reach the top.
  std::size_t home_of(std::uint64_t key) const { return (key * 0x9E3779B97F4A7C15ull >> 32) & mask(); }
  void place(const Slot& slot) {
    std::size_t i = home_of(slot.key);
    while (slots_[i].session != nullptr) i = next(i);
    slots_[i] = slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.session != nullptr) place(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace limpet::engine
