// The Asio side of Loop. Included by net's .cpp files alone.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "proxy/net/loop.h"

namespace limpet::net {

namespace asio = boost::asio;

struct Loop::Impl {
  Impl();
  // Asio's timer is set only when a deadline comes before what it is set to: most deadlines are cancelled or
  // moved back long before they pass, and a wake-up that finds nothing due is cheaper than a timer call each.
  void arm(std::uint64_t deadline_ms);
  void on_wake();

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             asio::io_context::executor_type>
      alarm{io};
  TimerWheel wheel;
  std::uint64_t armed_ms = ~0ull;
  std::atomic<std::thread::id> thread{};
};

using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

}  // namespace limpet::net
