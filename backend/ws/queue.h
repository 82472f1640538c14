// Queue: the messages that are due to one connection, in order. One is kept in place, more in a block that is
// given back once it is empty, so that an idle connection holds none.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/ws/message.h"

namespace limpet::ws {

class Queue {
 public:
  // `compressed`: frames go out as Message::deflated_frame().
  explicit Queue(bool compressed) : compressed_(compressed) {}
  ~Queue() { clear(); }
  Queue(const Queue&) = delete;

  void push(const MessageRef& message);
  bool empty() const { return !first_; }
  bool only_one() const { return first_ && !more_; }
  std::size_t bytes() const { return bytes_; }
  // What is held for it: with what each message costs beside its bytes (a queue of empty ones has to have an
  // end, too), and with the plain frame that stays beside the deflated one.
  std::size_t weight() const { return bytes_ + beside_ + kEach * count_; }
  std::size_t weight_of(const MessageRef& message) const {
    return frame_of(message).size() + beside(message) + kEach;
  }
  std::size_t gather(std::span<iovec> pieces) const;  // how many of them there are
  void consume(std::size_t bytes);                    // that have been sent
  void clear();

  static constexpr std::size_t kEach = 64;
  static constexpr std::size_t kPlace = 2 * sizeof(MessageRef);  // in a block, as it grows

 private:
  struct Block {
    std::vector<MessageRef> messages;
    std::size_t next = 0;  // before it: gone
  };
  static std::vector<std::unique_ptr<Block>>& kept_blocks();
  static std::unique_ptr<Block> take_block();
  static void give_back(std::unique_ptr<Block> block);
  std::string_view frame_of(const MessageRef& message) const {
    return compressed_ ? message->deflated_frame() : message->frame();
  }
  std::size_t beside(const MessageRef& message) const {
    const bool two = compressed_ && message->deflated_frame().data() != message->frame().data();
    return two ? message->frame().size() : 0;
  }
  void drop_first();

  MessageRef first_;
  std::unique_ptr<Block> more_;
  std::size_t bytes_ = 0;   // unsent
  std::size_t beside_ = 0;  // plain frames whose deflated ones are sent
  std::size_t offset_ = 0;  // of the first one's frame: what has been sent
  std::uint32_t count_ = 0;
  bool compressed_;
};

}  // namespace limpet::ws
