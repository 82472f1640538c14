// IdTable: pointers found by the text that each names itself by. Open addressing: 8 bytes an entry and some
// room.
//
// T has `std::string_view id() const`. The table owns nothing. Not thread-safe.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "backend/names/hash.h"

namespace limpet::adapter {

template <class T>
class IdTable {
 public:
  std::size_t size() const { return size_; }

  T* find(std::string_view id) const {
    if (slots_.empty()) return nullptr;
    return slots_[at(id)];
  }

  // Takes the place of an entry with the same id.
  void insert(T* entry) {
    if ((size_ + 1) * 4 > slots_.size() * 3) resize(slots_.empty() ? 16 : slots_.size() * 2);
    T*& slot = slots_[at(entry->id())];
    size_ += slot == nullptr;
    slot = entry;
  }

  // Nothing happens if another one has its place.
  void erase(const T* entry) {
    if (slots_.empty()) return;
    std::size_t hole = at(entry->id());
    if (slots_[hole] != entry) return;
    --size_;
    // Those behind it move up, unless they stand where their search begins.
    for (std::size_t next = hole;;) {
      slots_[hole] = nullptr;
      T* moved = nullptr;
      do {
        next = (next + 1) & mask();
        moved = slots_[next];
        if (moved == nullptr) break;
      } while (((next - home(moved->id())) & mask()) < ((next - hole) & mask()));
      if (moved == nullptr) break;
      slots_[hole] = moved;
      hole = next;
    }
    if (size_ * 8 < slots_.size() && slots_.size() > 16) resize(slots_.size() / 2);
  }

 private:
  std::size_t mask() const { return slots_.size() - 1; }
  std::size_t home(std::string_view id) const { return mask() & names::Hash{}(id); }
  std::size_t at(std::string_view id) const {  // where it is, or where it would be
    std::size_t i = home(id);
    while (slots_[i] != nullptr && slots_[i]->id() != id) i = (i + 1) & mask();
    return i;
  }
  void resize(std::size_t size) {
    std::vector<T*> old(size);
    old.swap(slots_);
    for (T* entry : old) {
      if (entry != nullptr) slots_[at(entry->id())] = entry;
    }
  }

  std::vector<T*> slots_;  // a power of two, or none
  std::size_t size_ = 0;
};

}  // namespace limpet::adapter
