#include "tests/bench/load/client.h"

#include <cerrno>
#include <cstring>

#include "tests/bench/load/handshake.h"
#include "tests/bench/load/load.h"

namespace limpet::bench {

Pattern::Pattern(std::string_view once, std::size_t room) : bytes(once), period(once.size()) {
  for (std::size_t i = 1; (i + 1) * period <= room; ++i) bytes.append(once);
}

bool Client::connect(const Pattern& request) {
  started = now_ns();
  Fd fd = connect_to(load_.target_of(index), load_.source_of(index));
  if (!fd) {
    why_ = ::strerrordesc_np(errno);
    return false;
  }
  stream_ = Stream(std::move(fd), load_.tls());
  head_.clear();
  head_over_ = false;
  finish_ = false;
  status = 0;
  sent = received = 0;
  ready = false;
  frames = {};
  pattern_ = &request;
  unsent_ = request.period;
  offset_ = 0;
  interest_ = EPOLLIN | EPOLLOUT;  // out: connected
  load_.poller().add(stream_.fd(), interest_, this);
  return true;
}

void Client::send(const Pattern& pattern, std::uint64_t count) {
  if (&pattern != pattern_) {
    pattern_ = &pattern;
    offset_ = 0;
  }
  const bool idle = unsent_ == 0;
  unsent_ += count * pattern.period;
  if (idle) flush();
}

void Client::finish() {
  if (unsent_ > 0) {
    finish_ = true;
  } else {
    stream_.finish();
  }
}

void Client::close() {
  stream_.close();
}

void Client::on_events(std::uint32_t events) {
  if (!open()) return;
  if (unsent_ > 0) {
    flush();
  } else if (interest_ & EPOLLOUT) {
    set_interest(EPOLLIN);
  }
  if (open() && (events & ~EPOLLOUT)) read();
}

void Client::flush() {
  while (unsent_ > 0) {
    const std::string& bytes = pattern_->bytes;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(unsent_, bytes.size() - offset_));
    std::size_t taken = 0;
    switch (stream_.write({bytes.data() + offset_, count}, taken)) {
      case Stream::Io::done: break;
      case Stream::Io::again: return set_interest(stream_.waits_for_room() ? EPOLLIN | EPOLLOUT : EPOLLIN);
      default: return fail(stream_.why());
    }
    unsent_ -= taken;
    offset_ = (offset_ + taken) % pattern_->period;
    // Full: asking again would only say so.
    if (taken < count && !load_.tls()) return set_interest(EPOLLIN | EPOLLOUT);
  }
  set_interest(EPOLLIN);
  if (finish_) stream_.finish();
  handler_.on_flushed(*this);
}

void Client::set_interest(std::uint32_t interest) {
  if (interest == interest_) return;
  interest_ = interest;
  load_.poller().modify(stream_.fd(), interest, this);
}

void Client::read() {
  do {
    std::size_t count = 0;
    const std::span<char> buffer = load_.buffer();
    switch (stream_.read(buffer, count)) {
      case Stream::Io::done: break;
      case Stream::Io::again: return;
      case Stream::Io::end: return fail(head_over_ ? "" : "closed without an answer");
      case Stream::Io::failed: return fail(stream_.why());
    }
    std::span<char> in = buffer.first(count);
    if (!head_over_ && !take_head(in)) return;
    if (open() && !in.empty()) handler_.on_bytes(*this, in);
  } while (open() && stream_.holds_bytes());
}

// False if the head is not over, or the connection is.
bool Client::take_head(std::span<char>& in) {
  const std::size_t before = head_.size();
  head_.append(in.data(), in.size());
  const std::size_t end_at = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end_at == head_.npos) {
    if (head_.size() > 64 * 1024) fail("an endless head");
    return false;
  }
  in = in.subspan(end_at + 4 - before);
  head_.resize(end_at + 4);
  head_over_ = true;
  const bool understood = understand_head();
  head_.clear();
  if (!understood) return false;
  handler_.on_head(*this);
  return open();
}

bool Client::understand_head() {
  std::uint64_t number = 0;
  if (!head_.starts_with("HTTP/1.") || !to_number(std::string_view(head_).substr(9, 3), number)) {
    fail("not an HTTP answer");
    return false;
  }
  status = static_cast<int>(number);
  has_length = to_number(field(head_, "content-length"), body_left);
  last = has_token(field(head_, "connection"), "close");
  if (status == 101 ? field(head_, "sec-websocket-accept") == load_.accept() : status == 200) return true;
  fail(status == 101 ? std::string("a wrong Sec-WebSocket-Accept") : "status " + std::to_string(status));
  return false;
}

void Client::fail(std::string_view why) {
  const std::string text(why);  // it may be the stream's
  stream_.close();
  unsent_ = 0;
  handler_.on_end(*this, text);
}

}  // namespace limpet::bench
