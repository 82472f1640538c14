#include "proxy/net/signals.h"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <thread>

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

// Asio's reactor has a thread here that does nothing but wait for them.
struct Signals::Impl {
  Impl(Loop& l, std::function<void(int)> then) : loop(l), on_signal(std::move(then)) {}
  ~Impl() {
    io.stop();
    if (thread.joinable()) thread.join();
  }
  void wait() {
    set.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      wait();
      loop.post([this, number] { on_signal(number); });
    });
  }
  Loop& loop;
  boost::asio::io_context io{1};
  boost::asio::signal_set set{io};
  std::function<void(int)> on_signal;
  std::thread thread;
};

Signals::Signals(Loop& loop, std::initializer_list<int> numbers, std::function<void(int)> on_signal)
    : impl_(std::make_unique<Impl>(loop, std::move(on_signal))) {
  for (const int number : numbers) impl_->set.add(number);
  impl_->wait();
  impl_->thread = std::thread([impl = impl_.get()] {
    ::pthread_setname_np(::pthread_self(), "limpet-signals");
    impl->io.run();
  });
  mask(SIG_UNBLOCK, numbers);
}

Signals::~Signals() = default;

}  // namespace limpet::net
