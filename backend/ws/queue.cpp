#include "backend/ws/queue.h"

#include "backend/budget/share.h"

namespace limpet::ws {
namespace {

constexpr std::size_t kBlock = 8;          // messages a block has room for from the start
constexpr std::size_t kMostKept = 32;      // of a block that is kept for the next
constexpr std::size_t kMostBlocks = 2048;  // kept: at most 600 KiB

}  // namespace

// Of one thread, for its next queue.
std::vector<std::unique_ptr<Queue::Block>>& Queue::kept_blocks() {
  thread_local std::vector<std::unique_ptr<Block>> kept;
  return kept;
}

std::unique_ptr<Queue::Block> Queue::take_block() {
  auto& kept = kept_blocks();
  if (kept.empty()) {
    auto block = std::make_unique<Block>();
    block->messages.reserve(kBlock);
    return block;
  }
  auto block = std::move(kept.back());
  kept.pop_back();
  return block;
}

void Queue::give_back(std::unique_ptr<Block> block) {
  auto& kept = kept_blocks();
  if (kept.size() == kMostBlocks || block->messages.capacity() > kMostKept) return;
  block->messages.clear();
  block->next = 0;
  kept.push_back(std::move(block));
}

void Queue::push(const MessageRef& message) {
  bytes_ += frame_of(message).size();
  beside_ += beside(message);
  ++count_;
  budget::charge(kPlace);
  if (!first_) {
    first_ = message;
    return;
  }
  if (!more_) more_ = take_block();
  more_->messages.push_back(message);
}

std::size_t Queue::gather(std::span<iovec> pieces) const {
  if (!first_ || pieces.empty()) return 0;
  const auto piece_of = [](std::string_view bytes) {
    return iovec{const_cast<char*>(bytes.data()), bytes.size()};
  };
  std::size_t count = 0;
  pieces[count++] = piece_of(frame_of(first_).substr(offset_));
  if (!more_) return count;
  for (std::size_t i = more_->next; i < more_->messages.size() && count < pieces.size(); ++i) {
    pieces[count++] = piece_of(frame_of(more_->messages[i]));
  }
  return count;
}

void Queue::consume(std::size_t bytes) {
  bytes_ -= bytes;
  offset_ += bytes;
  while (first_) {
    const std::size_t size = frame_of(first_).size();
    if (offset_ < size) return;
    offset_ -= size;
    drop_first();
  }
}

// A queue that is never empty moves on in its block: what is gone is closed up once it is the half.
void Queue::drop_first() {
  --count_;
  budget::refund(kPlace);
  beside_ -= beside(first_);
  first_ = {};
  if (!more_) return;
  first_ = std::move(more_->messages[more_->next++]);
  if (more_->next == more_->messages.size()) {
    give_back(std::move(more_));
  } else if (more_->next >= 64 && more_->next * 2 > more_->messages.size()) {
    const auto begin = more_->messages.begin();
    more_->messages.erase(begin, begin + static_cast<std::ptrdiff_t>(std::exchange(more_->next, 0)));
  }
}

void Queue::clear() {
  first_ = {};
  if (more_) give_back(std::move(more_));
  budget::refund(kPlace * count_);
  bytes_ = beside_ = offset_ = count_ = 0;
}

}  // namespace limpet::ws
