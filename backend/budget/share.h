// What all clients together make this process hold: messages that wait to be sent, and messages and bodies of
// which parts are still to come. One count a thread (a process is one event loop), kept where each connection
// keeps its own.
//
// A message is counted once, however many queues it stands in: what a thousand slow readers wait for is held
// once, and counting it for each of them would end clients for memory that nobody holds. The places that it
// takes in their queues are counted for each.
#pragma once

#include <cstddef>
#include <cstdint>

namespace limpet::budget {

// Of this thread. Written by charge() and refund() alone, and `mark` by the Budget.
inline constinit thread_local std::size_t total = 0;
inline constinit thread_local std::size_t mark = SIZE_MAX;
void reached();  // the total has passed the mark

inline void charge(std::size_t bytes) {
  total += bytes;
  if (total > mark) [[unlikely]]
    reached();
}
inline void refund(std::size_t bytes) {
  total -= bytes;
}

// What one owner holds; nothing once it is gone.
class Share {
 public:
  Share() = default;
  Share(const Share&) = delete;
  ~Share() { refund(bytes_); }
  std::size_t bytes() const { return bytes_; }
  void set(std::size_t bytes) {
    refund(bytes_);
    bytes_ = bytes;
    charge(bytes);
  }

 private:
  std::size_t bytes_ = 0;
};

}  // namespace limpet::budget
