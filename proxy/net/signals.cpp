#include "proxy/net/signals.h"

#include <boost/asio/signal_set.hpp>

#include "proxy/net/loop_impl.h"

namespace limpet::net {

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
}

Signals::~Signals() = default;

}  // namespace limpet::net
