// The inside of Loop. Included by net's .cpp files alone.
//
// Sockets wait in an edge-triggered epoll set of the loop's own, tasks of other threads in Asio's queue.
// Asio's reactor would serve both, at the price of an epoll_ctl a wait, a timer call a deadline, and without
// EPOLLRDHUP, without which nobody can tell from a short read that there is nothing more to read.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <thread>

#include "proxy/net/delegate.h"
#include "proxy/net/fd.h"
#include "proxy/net/loop.h"

namespace limpet::net {

namespace asio = boost::asio;

// A descriptor of the set, and who waits for it. Its owner gives it back with retire(); it is kept until no
// event or list names it.
struct Watch {
  Delegate reader;
  Delegate writer;
  Loop::Impl* loop = nullptr;
  Watch* next = nullptr;  // of the list that it is in
  int fd = -1;
  std::uint32_t interest = 0;  // what the set was asked for; 0: it does not know the descriptor
  bool readable = false;       // an edge was seen, and nothing has said since that there is no more
  bool writable = false;
  bool ending = false;  // its end or its break was announced: a short read does not mean that all is read
  bool due = false;     // in the list of those whose waiters are looked at
};

struct Loop::Impl {
  Impl();
  ~Impl();

  Watch* watch(int fd);
  void retire(Watch& watch);  // no waiter is called any more; the descriptor is the caller's
  void wait_read(Watch& watch, Delegate then);
  void wait_write(Watch& watch, Delegate then);
  void wake();  // any thread

  void run();
  void note(const epoll_event& event);
  void run_due();
  void run_tasks();
  void expire();
  void defer(Deferred& what);
  void run_deferred();
  void enlist(Watch& watch, std::uint32_t events);
  void make_due(Watch& watch);
  void free_retired();
  int timeout() const;
  std::uint64_t turn_ms() const { return now != 0 ? now : now_ms(); }

  const Fd set;
  const Fd bell;  // an eventfd that is never read: each write is an edge
  asio::io_context tasks{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{tasks.get_executor()};
  std::atomic<bool> rung{false};
  std::atomic<bool> stopping{false};
  std::atomic<std::thread::id> thread{};
  TimerWheel wheel;
  std::uint64_t now = 0;  // of this turn; 0: outside of all
  Guest* guest = nullptr;
  Watch* due = nullptr;  // in order
  Watch** due_tail = &due;
  DeferredLink deferred;     // a ring, in order
  Watch* retired = nullptr;  // in this turn
  Watch* spare = nullptr;
  std::size_t spares = 0;
};

}  // namespace limpet::net
