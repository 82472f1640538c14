#include "proxy/net/loop.h"

#include <time.h>

#include <boost/asio/post.hpp>

#include "proxy/net/loop_impl.h"

namespace limpet::net {

std::uint64_t now_us() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

std::uint64_t now_ms() {
  return now_us() / 1000;
}

Loop::Impl::Impl() : wheel(now_ms()) {}

void Loop::Impl::arm(std::uint64_t deadline_ms) {
  if (deadline_ms >= armed_ms) return;
  armed_ms = deadline_ms;
  const std::uint64_t now = now_ms();
  alarm.expires_after(std::chrono::milliseconds(deadline_ms > now ? deadline_ms - now : 0));
  alarm.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_wake();
  });
}

void Loop::Impl::on_wake() {
  armed_ms = ~0ull;
  const std::uint64_t now = now_ms();
  while (TimerNode* node = wheel.expire(now)) static_cast<Timer::Node*>(node)->owner->on_expiry_();
  if (const auto next = wheel.next_ms()) arm(std::max(*next, now + 1));
}

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
  impl_->thread = std::this_thread::get_id();
  impl_->io.run();
  impl_->io.restart();  // a loop may be run again
  impl_->thread = std::thread::id{};
}

void Loop::stop() {
  impl_->io.stop();
}

void Loop::post(std::function<void()> task) {
  asio::post(impl_->io, std::move(task));
}

bool Loop::on_my_thread() const {
  const std::thread::id owner = impl_->thread;
  return owner == std::thread::id{} || owner == std::this_thread::get_id();
}

Timer::Timer(Loop& loop, Delegate on_expiry) : loop_(loop), on_expiry_(on_expiry) {
  node_.owner = this;
}

Timer::~Timer() {
  cancel();
}

void Timer::after(std::uint64_t delay_ms) {
  const std::uint64_t deadline = now_ms() + delay_ms;
  loop_.impl().wheel.set(node_, deadline);
  // One tick later the wheel has reached the deadline's slot.
  loop_.impl().arm(deadline + TimerWheel::kTickMs - 1 -
                   (deadline + TimerWheel::kTickMs - 1) % TimerWheel::kTickMs);
}

void Timer::cancel() {
  loop_.impl().wheel.cancel(node_);
}

}  // namespace limpet::net
