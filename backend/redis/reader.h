// Reader: bytes from Redis to replies, by hiredis' parser, within bounds. Pure: no socket, no clock.
//
// A reply lives in the Reader's own arena until the next call of next(): what fits into 16 KiB costs no
// allocation of ours. What is too large, too deep, or no RESP2 at all breaks the Reader for good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "backend/redis/reply.h"

struct redisReader;

namespace limpet::redis {

// Memory that is taken piece by piece and given back as one. Blocks grow with what is held, so that what is
// left at the end of each is little: about an eighth.
class Arena {
 public:
  explicit Arena(std::size_t most) : most_(most) {}
  void* take(std::size_t size);  // null beyond `most` bytes, blocks counted as a whole
  void reset();
  std::size_t held() const { return held_; }

 private:
  static constexpr std::size_t kBlock = 16 * 1024;
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  std::vector<Block> blocks_;  // the first is kept
  std::size_t used_ = 0;       // of the last
  std::size_t held_ = 0;       // of all
  const std::size_t most_;
};

class Reader {
 public:
  explicit Reader(std::size_t max_reply_bytes);
  ~Reader();
  Reader(const Reader&) = delete;

  void feed(std::span<const char> bytes);
  // The next whole reply, or nothing: more is needed, or broken() says what is wrong.
  std::optional<Reply> next();
  std::string_view broken() const { return broken_; }  // a literal; empty: sound

  struct Hooks;  // what hiredis calls

 private:
  void check_what_waits();

  std::size_t most_;
  Arena arena_;
  redisReader* raw_;
  bool out_ = false;  // the arena holds the reply that was handed out
  std::string_view broken_;
};

}  // namespace limpet::redis
