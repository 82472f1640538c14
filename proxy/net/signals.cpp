#include "proxy/net/signals.h"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/signal_set.hpp>

#include "proxy/net/loop_impl.h"

namespace limpet::net {
namespace {

void mask(int how, std::initializer_list<int> numbers) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : numbers) ::sigaddset(&set, number);
  ::pthread_sigmask(how, &set, nullptr);
}

}  // namespace

void hold_signals(std::initializer_list<int> numbers) {
  mask(SIG_BLOCK, numbers);
}

struct Signals::Impl {
  Impl(Loop& loop, std::function<void(int)> then) : set(loop.impl().io), on_signal(std::move(then)) {}
  void wait() {
    set.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      wait();
      on_signal(number);
    });
  }
  asio::signal_set set;
  std::function<void(int)> on_signal;
};

Signals::Signals(Loop& loop, std::initializer_list<int> numbers, std::function<void(int)> on_signal)
    : impl_(std::make_unique<Impl>(loop, std::move(on_signal))) {
  for (const int number : numbers) impl_->set.add(number);
  impl_->wait();
  mask(SIG_UNBLOCK, numbers);
}

Signals::~Signals() = default;

}  // namespace limpet::net
