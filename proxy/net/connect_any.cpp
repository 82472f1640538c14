#include "proxy/upstream/connect.h"

#include <errno.h>

#include <algorithm>

namespace limpet::upstream {

Connect::Connect(net::Loop& loop, net::Delegate done)
    : loop_(loop), done_(done), timer_(loop, net::delegate<&Connect::on_expiry>(this)) {}

bool Connect::start(std::shared_ptr<const net::Target::Addresses> addresses,
                    std::span<const wire::IpAddress> sources, std::uint32_t turn, std::uint64_t within_ms) {
  addresses_ = std::move(addresses);
  sources_ = sources;
  turn_ = turn;
  next_ = 0;
  error_ = EHOSTUNREACH;  // what stands if there is no address at all
  running_ = true;
  deadline_ms_ = net::now_ms() + within_ms;
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

net::ConnectStart Connect::open(const net::Address& to) const {
  const bool v4 = to.family() == AF_INET;
  net::ConnectStart start{{}, EADDRNOTAVAIL, false};
  bool had_source = false;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const wire::IpAddress& from = sources_[(turn_ + i) % sources_.size()];
    if (to.is_unix() || from.is_v4() != v4) continue;
    had_source = true;
    start = net::start_connect(loop_, to, &from);
    if (start.error != EADDRNOTAVAIL) return start;
  }
  return had_source ? std::move(start) : net::start_connect(loop_, to);
}

void Connect::try_next() {
  while (next_ < addresses_->size()) {
    const std::size_t left = addresses_->size() - next_;
    net::ConnectStart start = open((*addresses_)[next_++]);
    if (!start.stream) {
      error_ = start.error;
      continue;
    }
    stream_ = std::move(start.stream);
    if (start.done) return finish(0);
    stream_.wait_write(net::delegate<&Connect::on_writable>(this));
    const std::uint64_t now = net::now_ms();
    timer_.after(deadline_ms_ > now ? (deadline_ms_ - now) / left : 0);
    return;
  }
  finish(error_);
}

void Connect::on_writable() {
  timer_.cancel();
  const int error = stream_.take_error();
  if (error == 0) return finish(0);
  error_ = error;
  stream_.close();
  try_next();
}

void Connect::on_expiry() {
  error_ = ETIMEDOUT;
  stream_.close();
  try_next();
}

void Connect::finish(int error) {
  error_ = error;
  running_ = false;
  if (!starting_) done_();
}

}  // namespace limpet::upstream
