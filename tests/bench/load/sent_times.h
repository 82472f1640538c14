// SentTimes: when each of the last few messages of every socket was sent.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/bench/load/client.h"

namespace limpet::bench {

class SentTimes {
 public:
  // `each`: messages in flight on a socket, at most.
  SentTimes(std::uint32_t sockets, std::uint32_t each) : each_(each), at_(std::size_t{sockets} * each) {}

  // Of the message with this number on its socket.
  std::int64_t& at(const Client& client, std::uint64_t message) {
    return at_[std::size_t{client.index} * each_ + message % each_];
  }

 private:
  const std::uint32_t each_;
  std::vector<std::int64_t> at_;
};

}  // namespace limpet::bench
