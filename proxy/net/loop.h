// Loop: one thread's event loop: its sockets (stream.h), its timer wheel, and Boost.Asio's queue of what
// other threads post. Asio itself stays inside net's .cpp files.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "proxy/net/delegate.h"
#include "proxy/net/timer_wheel.h"

namespace limpet::net {

std::uint64_t now_ms();  // CLOCK_MONOTONIC; immune to clock changes
std::uint64_t now_us();

// Takes whole sockets out of the hands of Streams (Stream::move_to_guest): their events come here, without a
// waiter in between. A loop has at most one, which outlives its run(). Called on the loop's thread.
class Guest {
 public:
  virtual void on_event(std::uint64_t token, std::uint32_t events) = 0;  // epoll's
  virtual void on_deadline(TimerNode& node) = 0;  // of a node set by Loop::set_guest_timer()

 protected:
  ~Guest() = default;
};

class Deferred;

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;

  void run();   // until stop(); the calling thread is the loop's from then on
  void stop();  // any thread
  void post(
      std::function<void()> task);  // any thread; runs on the loop's, in order; dropped if it has stopped
  bool on_my_thread() const;
  // Runs `what` once, after everything else of this turn and before the loop sleeps. Its own thread only.
  void at_end_of_turn(Deferred& what);

  void invite(Guest& guest);                                // before run()
  static constexpr std::uint64_t kGuestToken = 1ull << 63;  // set in every token of a guest's
  // now_ms() as it was when this turn began: for ages, without a look at the clock for each.
  std::uint64_t turn_ms() const;
  void set_guest_timer(TimerNode& node, std::uint64_t deadline_ms);
  void cancel_guest_timer(TimerNode& node);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Of a ring; alone it is linked to itself.
struct DeferredLink {
  DeferredLink* prev = this;
  DeferredLink* next = this;
};

// Work that is done once a turn however often it is asked for, so that all that a connection is due leaves in
// one call. Part of its owner, who may destroy it at any time: that cancels it.
class Deferred : DeferredLink {
 public:
  explicit Deferred(Delegate run) : run_(run) {}
  Deferred(const Deferred&) = delete;
  ~Deferred() { cancel(); }
  bool queued() const { return next != this; }
  void cancel();

 private:
  friend struct Loop::Impl;
  Delegate run_;
};

// A deadline. Owned by whoever it calls; destroying it disarms it. Only on the loop's thread.
class Timer {
 public:
  Timer(Loop& loop, Delegate on_expiry);
  ~Timer();
  void after(std::uint64_t delay_ms);  // replaces an earlier deadline
  void cancel();
  bool armed() const { return node_.armed(); }
  std::uint64_t deadline_ms() const { return node_.deadline_ms; }  // if armed

 private:
  friend struct Loop::Impl;
  struct Node : TimerNode {
    Timer* owner = nullptr;
  };
  Loop& loop_;
  Delegate on_expiry_;
  Node node_;
};

}  // namespace limpet::net
