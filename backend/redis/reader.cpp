#include "backend/redis/reader.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>

namespace limpet::redis {
namespace {

// A status, an error or a number. Redis' own errors stay under 1 KiB; Lua's may carry a script's text.
constexpr std::size_t kLongestLine = 64 * 1024;
constexpr std::size_t kLongestLength = 32;  // digits of a length

}  // namespace

// --- arena ---

void* Arena::take(std::size_t size) {
  size = (size + 7) & ~std::size_t{7};
  if (blocks_.empty() || size > blocks_.back().size - used_) {
    const std::size_t left = most_ - held_;
    if (size > left) return nullptr;
    const std::size_t room = std::max(size, std::min(std::max(kBlock, held_ / 8), left));
    std::unique_ptr<char[]> bytes(new (std::nothrow) char[room]);
    if (!bytes) return nullptr;
    blocks_.push_back({std::move(bytes), room});
    held_ += room;
    used_ = 0;
  }
  void* place = blocks_.back().bytes.get() + used_;
  used_ += size;
  return place;
}

void Arena::reset() {
  const bool keeps = !blocks_.empty() && blocks_.front().size <= kBlock;
  blocks_.erase(blocks_.begin() + (keeps ? 1 : 0), blocks_.end());
  held_ = keeps ? blocks_.front().size : 0;
  used_ = 0;
}

// --- what hiredis calls ---

struct Reader::Hooks {
#if HIREDIS_MAJOR >= 1
  using Count = std::size_t;
#else
  using Count = int;
#endif

  // A new reply, in its place in the array that holds it; null beyond the bound.
  static redisReply* make(const redisReadTask* task, int type) {
    auto& arena = static_cast<Reader*>(task->privdata)->arena_;
    void* place = arena.take(sizeof(redisReply));
    if (place == nullptr) return nullptr;
    auto* reply = new (place) redisReply{};
    reply->type = type;
    if (task->parent != nullptr) static_cast<redisReply*>(task->parent->obj)->element[task->idx] = reply;
    return reply;
  }
  static void* string(const redisReadTask* task, char* bytes, std::size_t size) {
    auto* text = static_cast<char*>(static_cast<Reader*>(task->privdata)->arena_.take(size + 1));
    redisReply* reply = text != nullptr ? make(task, task->type) : nullptr;
    if (reply == nullptr) return nullptr;
    std::memcpy(text, bytes, size);
    text[size] = '\0';
    reply->str = text;
    reply->len = size;
    return reply;
  }
  static void* array(const redisReadTask* task, Count count) {
    const std::size_t size = static_cast<std::size_t>(count) * sizeof(redisReply*);
    void* elements = static_cast<Reader*>(task->privdata)->arena_.take(size);
    redisReply* reply = elements != nullptr ? make(task, REDIS_REPLY_ARRAY) : nullptr;
    if (reply == nullptr) return nullptr;
    std::memset(elements, 0, size);
    reply->element = static_cast<redisReply**>(elements);
    reply->elements = static_cast<std::size_t>(count);
    return reply;
  }
  static void* integer(const redisReadTask* task, long long value) {
    redisReply* reply = make(task, REDIS_REPLY_INTEGER);
    if (reply != nullptr) reply->integer = value;
    return reply;
  }
  static void* nil(const redisReadTask* task) {
    return make(task, REDIS_REPLY_NIL);
  }
  static void free(void*) {}  // the arena goes as one
#if HIREDIS_MAJOR >= 1
  // RESP3, which we never ask for: hiredis 1 reads it all the same.
  static void* number(const redisReadTask* task, double, char*, std::size_t) {
    return nil(task);
  }
  static void* boolean(const redisReadTask* task, int value) {
    return integer(task, value);
  }
  static inline redisReplyObjectFunctions functions{string, array, integer, number, nil, boolean, free};
#else
  static inline redisReplyObjectFunctions functions{string, array, integer, nil, free};
#endif

  // hiredis waits for what it was told will come; here it is refused before it is there.
  static const redisReadTask& task_of(const redisReader& raw) {
#if HIREDIS_MAJOR >= 1
    return *raw.task[raw.ridx];
#else
    return raw.rstack[raw.ridx];
#endif
  }
};

// --- reader ---

Reader::Reader(std::size_t max_reply_bytes)
    : most_(max_reply_bytes),
      arena_(max_reply_bytes),
      raw_(redisReaderCreateWithFunctions(&Hooks::functions)) {
  if (raw_ == nullptr) throw std::bad_alloc();
  raw_->privdata = this;
}

Reader::~Reader() {
  redisReaderFree(raw_);
}

void Reader::feed(std::span<const char> bytes) {
  if (!broken_.empty() || bytes.empty()) return;
  if (redisReaderFeed(raw_, bytes.data(), bytes.size()) != REDIS_OK) broken_ = "out of memory";
}

std::optional<Reply> Reader::next() {
  if (!broken_.empty()) return std::nullopt;
  if (out_) {
    out_ = false;
    arena_.reset();
  }
  void* reply = nullptr;
  if (redisReaderGetReply(raw_, &reply) != REDIS_OK) {
    broken_ = raw_->err == REDIS_ERR_OOM ? kTooLarge : "an answer that is no RESP2";
    return std::nullopt;
  }
  if (reply == nullptr) {
    check_what_waits();
    return std::nullopt;
  }
  out_ = true;
  return Reply(static_cast<const redisReply*>(reply));
}

// A line without end would be searched from its beginning with each read, a text of any length awaited.
void Reader::check_what_waits() {
  if (raw_->ridx < 0 || raw_->len == raw_->pos) return;
  const int type = Hooks::task_of(*raw_).type;
  if (type < 0) return;
  const std::string_view waits(raw_->buf + raw_->pos, raw_->len - raw_->pos);
  if (type != REDIS_REPLY_STRING) {
    if (waits.size() > kLongestLine) broken_ = "a line that does not end";
    return;
  }
  const std::size_t end = waits.substr(0, kLongestLength).find('\r');
  if (end == std::string_view::npos) {
    if (waits.size() >= kLongestLength) broken_ = "a length that does not end";
    return;
  }
  std::uint64_t length = 0;
  std::from_chars(waits.data(), waits.data() + end, length);
  if (length > most_) broken_ = kTooLarge;
}

}  // namespace limpet::redis
