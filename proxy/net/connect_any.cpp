// Connect: the addresses of one server, one after the other.
#include <errno.h>

#include <algorithm>

#include "proxy/net/connect.h"

namespace limpet::net {
namespace {

constexpr std::uint64_t kBusyMs = 16;  // between two tries of a Unix socket whose queue is full

}  // namespace

Connect::Connect(Loop& loop, Delegate done)
    : loop_(loop), done_(done), timer_(loop, delegate<&Connect::on_expiry>(this)) {}

bool Connect::start(std::shared_ptr<const Target::Addresses> addresses,
                    std::span<const wire::IpAddress> sources, std::uint32_t turn, std::uint64_t within_ms,
                    const Early& early) {
  addresses_ = std::move(addresses);
  early_ = early;
  sources_ = sources;
  turn_ = turn;
  next_ = 0;
  error_ = EHOSTUNREACH;  // what stands if there is no address at all
  running_ = true;
  deadline_ms_ = now_ms() + within_ms;
  starting_ = true;
  try_next();
  starting_ = false;
  return !running_;
}

void Connect::cancel() {
  running_ = false;
  timer_.cancel();
  stream_.close();
}

ConnectStart Connect::open(const Address& to) const {
  const bool v4 = to.family() == AF_INET;
  ConnectStart start;
  bool had_source = false;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const wire::IpAddress& from = sources_[(turn_ + i) % sources_.size()];
    if (to.is_unix() || from.is_v4() != v4) continue;
    had_source = true;
    start = start_connect(loop_, to, &from, early_);
    if (start.error != EADDRNOTAVAIL) return start;
  }
  return had_source ? std::move(start) : start_connect(loop_, to, nullptr, early_);
}

void Connect::try_next() {
  while (next_ < addresses_->size()) {
    const std::uint64_t now = now_ms();
    const std::size_t left = addresses_->size() - next_;
    turn_ends_ms_ = now + (deadline_ms_ > now ? (deadline_ms_ - now) / left : 0);
    address_ = (*addresses_)[next_++];
    if (try_one()) return;
  }
  finish(error_);
}

// False if this address has failed at once.
bool Connect::try_one() {
  ConnectStart start = open(address_);
  busy_ = start.busy;
  const std::uint64_t now = now_ms();
  const std::uint64_t left = turn_ends_ms_ > now ? turn_ends_ms_ - now : 0;
  if (busy_) {
    timer_.after(std::min(left, kBusyMs));
    return true;
  }
  if (!start.stream) {
    error_ = start.error;
    return false;
  }
  stream_ = std::move(start.stream);
  early_sent_ = start.early_sent;
  if (start.done) {
    finish(0);
    return true;
  }
  stream_.wait_write(delegate<&Connect::on_writable>(this));
  timer_.after(left);
  return true;
}

void Connect::on_writable() {
  timer_.cancel();
  const int error = stream_.take_error();
  // The kernel calls a connection reset only once there was one. Then the server took what came with the SYN,
  // and whoever reads finds the end: that is no failed connect.
  const bool was_there = early_sent_ > 0 && (error == ECONNRESET || error == EPIPE);
  if (error == 0 || was_there) return finish(0);
  error_ = error;
  stream_.close();
  try_next();
}

void Connect::on_expiry() {
  if (busy_ && now_ms() < turn_ends_ms_) {
    if (!try_one()) try_next();
    return;
  }
  error_ = ETIMEDOUT;
  stream_.close();
  try_next();
}

void Connect::finish(int error) {
  error_ = error;
  running_ = false;
  if (!starting_) done_();
}

}  // namespace limpet::net
