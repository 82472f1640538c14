// What the Monitor is made of: an Entry a server, with its timers and its probe, in the Pool that it is in.
// Control thread, but for the few fields that say otherwise.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <unordered_map>

#include "health/monitor.h"
#include "health/probe.h"
#include "proxy/net/resolver.h"

namespace limpet::health {

struct Monitor::Impl {
  struct Pool;
  struct Entry {
    Entry(Impl& monitor, Pool& in, Watched w, StateMachine::Since since)
        : impl(monitor),
          pool(in),
          watched(std::move(w)),
          machine(in.settings, since),
          next(monitor.loop, net::delegate<&Entry::probe>(this)),
          resolve_again(monitor.loop, net::delegate<&Entry::resolve>(this)) {}

    void begin();
    void resolve();
    void on_resolved(net::Target::Addresses addresses, const std::string& error);
    void probe();
    void on_report(const Probe::Report& report);
    void on_connect_failed();
    void on_slow();
    void probe_by(std::uint64_t due_ms);
    void apply(const StateMachine::Step& step);
    void schedule();
    void first_result();
    void look_ahead(const std::shared_ptr<const Watched>& to);
    void say_of_move();
    void take_over();
    std::uint32_t count_connect(bool failed);
    routing::Server& server() const { return *watched.server; }
    bool leaves() const { return server().wanted() == routing::Wanted::leaving; }

    Impl& impl;
    Pool& pool;
    Watched watched;
    StateMachine machine;
    net::Timer next;
    net::Timer resolve_again;
    std::unique_ptr<Probe> running;
    std::unique_ptr<Probe> finished;  // kept while its own callback returns
    std::unique_ptr<Entry> ahead;     // of the same server where it moves to: it publishes nothing
    bool is_ahead = false;
    std::uint32_t failed_ahead = 0;  // connects in a row, of one that is ahead
    std::uint64_t since_ms = net::now_ms();
    bool waited_for = false;  // in the first round
    bool resolved_before = false;
    bool lost_name_said = false;
    bool probing = false;            // probes have begun: the name resolved
    std::uint64_t probed_ms = 0;     // when the last one began
    std::atomic<int> last_error{0};  // of a worker's connect
    std::atomic<bool> failed_noted{false};
    std::atomic<bool> slow_noted{false};
  };
  struct Pool {
    std::string name;
    Settings settings;
    std::vector<std::unique_ptr<Entry>> entries;
    // Who leaves is no help to who stays, and no reason to wait.
    bool all_down() const {
      return std::all_of(entries.begin(), entries.end(), [](const auto& each) {
        return each->leaves() || each->machine.state() == routing::State::down;
      });
    }
    bool alone() const {
      return std::count_if(entries.begin(), entries.end(), [](const auto& e) { return !e->leaves(); }) <= 1;
    }
  };

  Impl(Monitor& m, net::Loop& l) : monitor(m), loop(l), resolver(l) {}
  std::unique_ptr<Entry> make_entry(Pool& pool, Watched watched, StateMachine::Since since);
  void enter(Entry& entry);
  void forget(Entry& entry);
  void end_first_round();
  void say_never_passed();
  double random() { return std::uniform_real_distribution<double>(0.0, 1.0)(engine); }
  // On the control thread, which alone writes the map; on others under its mutex.
  Entry* find(std::uint32_t serial) {
    const auto found = by_serial.find(serial);
    return found == by_serial.end() ? nullptr : found->second;
  }
  void post(std::uint32_t serial, void (Entry::*what)());

  Monitor& monitor;
  net::Loop& loop;
  net::Resolver resolver;
  std::mt19937_64 engine{std::random_device{}()};
  std::vector<std::unique_ptr<Pool>> pools;
  std::mutex entries;  // while the map, or what workers write of an Entry, is touched
  std::unordered_map<std::uint32_t, Entry*> by_serial;
  std::function<void()> first_round_done;
  std::size_t awaited = 0;
  net::Timer first_round{loop, net::delegate<&Impl::end_first_round>(this)};
  net::Timer never_passed{loop, net::delegate<&Impl::say_never_passed>(this)};
  // Posted tasks look here first: they may run after the Monitor has gone.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

}  // namespace limpet::health
