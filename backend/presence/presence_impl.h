// The inside of Presence. Answers hold it weakly: they may come after its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "backend/presence/presence.h"
#include "backend/presence/roll.h"
#include "backend/presence/scan.h"
#include "backend/presence/store.h"
#include "backend/presence/sweeper.h"

namespace limpet::presence {

struct Presence::Impl {
  Impl(net::Loop& l, redis::Redis& r, Settings s);
  ~Impl();

  void connected(std::string_view user, std::string_view id);
  void disconnected(std::string_view id);
  void take_out(const Entry& entry);
  void on_link(bool is_up);

  // Writing (presence.cpp)
  void soon() { loop.at_end_of_turn(work); }
  void on_work();
  void write(Entry& entry);
  void on_written(const Socket& socket, Outcome outcome, std::uint64_t at);
  void drop(const Socket& socket);
  void write_all_again();
  void compare();

  // Heartbeats (heartbeat.cpp)
  void on_beat();
  void beat();
  void live();
  void count();
  void leave(std::function<void()> then);
  void leave_if_idle();
  void say_goodbye();
  void gone();

  net::Loop& loop;
  redis::Redis& redis;
  Settings settings;
  Names names{settings.names};
  Life own;
  std::unique_ptr<Store> store;
  Sweeper sweeper;
  Roll roll;
  std::deque<Socket> dropping;  // before anything is written: the same id may come again
  std::size_t owed = 0;         // answers
  std::uint64_t changes = 0;    // counted to see whether there were any
  std::shared_ptr<Scan> scan;   // of what we have in Redis and do not have any more
  bool compare_due = false;
  int beats_to_second_repair = 0;
  bool up = false;
  std::uint64_t up_since_ms = 0;
  std::function<void()> on_left;
  bool leaving = false, saying_goodbye = false;
  Totals totals;
  net::Deferred work{net::delegate<&Impl::on_work>(this)};
  net::Timer pace{loop, net::delegate<&Impl::on_work>(this)};
  net::Timer beats{loop, net::delegate<&Impl::on_beat>(this)};
  std::shared_ptr<Impl*> self = std::make_shared<Impl*>(this);
};

}  // namespace limpet::presence
