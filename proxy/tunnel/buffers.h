// Buffers: what slow peers make an engine keep. One thread; its free list is bounded, so that memory
// after a burst is memory at rest.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace limpet::tunnel {

struct Pending {
  Pending* next_free;
  std::uint32_t capacity;
  std::uint32_t begin;
  std::uint32_t end;
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  std::uint32_t size() const { return end - begin; }
};

class Buffers {
 public:
  static constexpr std::uint32_t kBlock = 16 * 1024;  // most remainders fit; kept for reuse
  static constexpr std::size_t kMostKept = 1024 * 1024;

  Buffers() = default;
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;
  ~Buffers() {
    while (Pending* each = free_) {
      free_ = each->next_free;
      std::free(each);
    }
  }

  Pending* keep(const char* bytes, std::size_t size) {
    Pending* pending = take(static_cast<std::uint32_t>(size));
    std::memcpy(pending->bytes(), bytes, size);
    pending->begin = 0;
    pending->end = static_cast<std::uint32_t>(size);
    held_ += pending->capacity;
    return pending;
  }

  void give_back(Pending* pending) {
    held_ -= pending->capacity;
    if (pending->capacity == kBlock && kept_ + kBlock <= kMostKept) {
      kept_ += kBlock;
      pending->next_free = free_;
      free_ = pending;
    } else {
      std::free(pending);
    }
  }

  std::size_t held() const { return held_; }  // bytes of buffers in use

 private:
  Pending* take(std::uint32_t size) {
    if (size <= kBlock && free_ != nullptr) {
      Pending* pending = free_;
      free_ = pending->next_free;
      kept_ -= kBlock;
      return pending;
    }
    const std::uint32_t capacity = size <= kBlock ? kBlock : size;
    auto* pending = static_cast<Pending*>(std::malloc(sizeof(Pending) + capacity));
    if (pending == nullptr) throw std::bad_alloc();
    pending->capacity = capacity;
    return pending;
  }

  Pending* free_ = nullptr;
  std::size_t kept_ = 0;
  std::size_t held_ = 0;
};

}  // namespace limpet::tunnel
