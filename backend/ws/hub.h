// Hub: what the sockets of one loop share: the buffers that all read and inflate into, and those connections
// whose owner has left while their last frame is on its way.
//
// Outlives its Sockets, is outlived by the Loop, lives on its thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/budget/census.h"
#include "backend/ws/socket.h"
#include "proxy/net/loop.h"

namespace limpet::ws {

class Hub {
 public:
  // `linger_ms`: how long a connection that was refused has to read why, before it is cut. `cut_ms`: how long
  // a message that is not whole may be held without a byte more.
  explicit Hub(net::Loop& loop, std::uint64_t linger_ms = 2'000, std::uint64_t cut_ms = 30'000);
  ~Hub();
  Hub(const Hub&) = delete;

  net::Loop& loop() { return loop_; }
  std::size_t leaving() const { return leaving_.size(); }
  // Above this the peer's Close is not waited for: ours goes out, and the descriptor is free.
  void limit_leaving(std::size_t most) { most_leaving_ = most; }
  // Of those whose owner has gone. What its own sockets hold, an owner knows.
  void weigh(budget::Census& census) const;
  void evict(budget::Eviction& eviction);

 private:
  friend struct Socket::Impl;
  std::span<char> scratch() { return {scratch_.get(), kScratch}; }
  // Small pieces, one behind the other: copying them costs less than telling the kernel of each. Empty if
  // they are too large for that. Valid until the next call.
  std::span<const char> join(std::span<const iovec> pieces, std::size_t size);
  Inflater& inflater() { return inflater_; }
  void give_back();                  // what a large message has taken
  void adopt(Socket::Impl& socket);  // its owner has gone; it deletes itself at its end
  void forget(Socket::Impl& socket);

  static constexpr std::size_t kScratch = 128 * 1024;
  static constexpr std::size_t kJoined = 16 * 1024;
  static constexpr std::size_t kSmall = 640;  // bytes a piece, on average
  net::Loop& loop_;
  const std::uint64_t linger_ms_, cut_ms_;
  std::size_t most_leaving_ = 1'000;
  std::unique_ptr<char[]> scratch_, joined_;
  std::vector<char> inflated_, deflated_;
  Inflater inflater_{inflated_, false};  // of all that keep no context
  std::vector<Socket::Impl*> leaving_;
};

}  // namespace limpet::ws
