#include "health/monitor.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <random>
#include <unordered_map>

#include "health/probe.h"
#include "proxy/log/log.h"
#include "proxy/net/resolver.h"

namespace limpet::health {
namespace {

using routing::State;

constexpr std::uint64_t kFirstRoundMs = 1'000;
constexpr std::uint64_t kResolveEveryMs = 30'000;
constexpr std::uint64_t kNeverPassedMs = 5'000;  // after the start
constexpr std::uint64_t kSlowGapMs = 500;  // clients' slow handshakes bring no more than a probe in this

std::string duration_text(std::uint64_t ms) {
  const std::uint64_t seconds = ms / 1000;
  if (seconds < 1) return std::to_string(ms) + "ms";
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m" + std::to_string(seconds % 60) + "s";
  return std::to_string(seconds / 3600) + "h" + std::to_string(seconds / 60 % 60) + "m";
}

}  // namespace

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
    routing::Server& server() const { return *watched.server; }

    Impl& impl;
    Pool& pool;
    Watched watched;
    StateMachine machine;
    net::Timer next;
    net::Timer resolve_again;
    std::unique_ptr<Probe> running;
    std::unique_ptr<Probe> finished;  // kept while its own callback returns
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
    bool all_down() const {
      return std::all_of(entries.begin(), entries.end(),
                         [](const auto& each) { return each->machine.state() == State::down; });
    }
  };

  Impl(Monitor& m, net::Loop& l) : monitor(m), loop(l), resolver(l) {}
  std::unique_ptr<Entry> make_entry(Pool& pool, Watched watched, StateMachine::Since since);
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

// --- names ---

void Monitor::Impl::Entry::begin() {
  if (watched.host.empty()) {
    probing = true;
    probe();
  } else {
    resolve();
  }
}

void Monitor::Impl::Entry::resolve() {
  // By then it may have been forgotten, or be another's.
  impl.resolver.resolve(watched.host, watched.port,
                        [&monitor = impl, serial = server().serial, target = watched.target](
                            net::Target::Addresses addresses, std::string error) {
                          Entry* const entry = monitor.find(serial);
                          if (entry == nullptr || entry->watched.target != target) return;
                          entry->on_resolved(std::move(addresses), error);
                        });
}

// The last answer is kept when a name stops resolving; a name that never did is down, and asked for again
// soon.
void Monitor::Impl::Entry::on_resolved(net::Target::Addresses addresses, const std::string& error) {
  if (!addresses.empty()) {
    const auto known = watched.target->addresses();
    if (*known != addresses) watched.target->publish(std::move(addresses));
    if (lost_name_said)
      log::info("server {}/{}: {} resolves again", server().pool, server().id, watched.host);
    lost_name_said = false;
    resolved_before = true;
    resolve_again.after(kResolveEveryMs);
    if (!std::exchange(probing, true)) probe();
    return;
  }
  if (resolved_before) {
    if (!std::exchange(lost_name_said, true)) {
      log::warn("server {}/{}: {}: {}; the last addresses are kept", server().pool, server().id, watched.host,
                error);
    }
    resolve_again.after(kResolveEveryMs);
    return;
  }
  apply(machine.on_unresolved(watched.host + ": " + error, net::now_ms()));
  first_result();
  resolve_again.after(pool.settings.interval_ms);
}

// --- probes ---

void Monitor::Impl::Entry::probe() {
  if (running || !probing) return;
  if (pool.settings.type == Settings::Type::off) {  // up, once its name resolves
    apply(machine.on_probe(Result::passed, "not probed", net::now_ms(), false, 0));
    return first_result();
  }
  next.cancel();
  probed_ms = net::now_ms();
  running =
      std::make_unique<Probe>(impl.loop, pool.settings, watched.target->addresses(), watched.host_header,
                              [this](const Probe::Report& report) { on_report(report); });
  running->start();
}

void Monitor::Impl::Entry::on_report(const Probe::Report& report) {
  finished = std::move(running);
  if (!report.said_nothing) {
    auto& failed = server().view.failed_connects;
    std::uint32_t in_a_row = 0;
    if (report.result == Result::connect_failed) {
      in_a_row = failed.fetch_add(1, std::memory_order_relaxed) + 1;
    } else {
      failed.store(0, std::memory_order_relaxed);
    }
    apply(machine.on_probe(report.result, report.text, net::now_ms(), pool.all_down(), in_a_row));
    first_result();
  }
  schedule();
}

void Monitor::Impl::Entry::schedule() {
  if (!running) next.after(machine.next_delay_ms(impl.random(), pool.all_down()));
}

void Monitor::Impl::Entry::first_result() {
  if (!std::exchange(waited_for, false)) return;
  if (--impl.awaited == 0) impl.end_first_round();
}

void Monitor::Impl::Entry::on_connect_failed() {
  failed_noted.store(false, std::memory_order_relaxed);
  const std::uint32_t in_a_row = server().view.failed_connects.load(std::memory_order_relaxed);
  if (in_a_row == 0) return;  // one has succeeded since
  const auto addresses = watched.target->addresses();
  const std::string where =
      watched.host.empty() && !addresses->empty() ? addresses->front().text() : watched.host_header;
  const std::string text = "connect to " + where + ": " + std::strerror(last_error.load());
  apply(machine.on_connect_failed(in_a_row, text, net::now_ms()));
  probe_by(net::now_ms() + pool.settings.fast_interval_ms);
}

void Monitor::Impl::Entry::on_slow() {
  slow_noted.store(false, std::memory_order_relaxed);
  const std::uint64_t now = net::now_ms();
  if (now >= probed_ms + kSlowGapMs) return probe();
  probe_by(probed_ms + kSlowGapMs);
}

// The next probe begins at this time, or sooner if it was to anyway: what clients cause never puts it off.
void Monitor::Impl::Entry::probe_by(std::uint64_t due_ms) {
  if (running || !probing || pool.settings.type == Settings::Type::off) return;
  const std::uint64_t now = net::now_ms();
  if (!next.armed() || next.deadline_ms() > due_ms) next.after(due_ms > now ? due_ms - now : 0);
}

// The one place where a state is published.
void Monitor::Impl::Entry::apply(const StateMachine::Step& step) {
  if (!step.changed) return;
  const std::uint64_t now = net::now_ms();
  const State to = machine.state();
  const std::uint64_t lasted = now - std::exchange(since_ms, now);
  const bool alone = pool.entries.size() == 1;
  // A moment of suspicion, and what follows it, leaves a slow start as it was.
  if (to != State::suspect && step.from != State::suspect) {
    server().view.slow_start_at_ms.store(step.slow_start && !alone ? now : 0, std::memory_order_relaxed);
  }
  server().view.state.store(to, std::memory_order_relaxed);
  server().view.transitions.fetch_add(1, std::memory_order_relaxed);
  const std::string line =
      fmt::format("server {}/{} is {}: {}; was {} for {}", server().pool, server().id, name_of(to),
                  machine.reason(), name_of(step.from), duration_text(lasted));
  log::write(to == State::up ? log::Level::info : log::Level::warn, line);
  if (impl.monitor.on_change) impl.monitor.on_change(server(), step.from, to, machine.reason());
  if (to == State::down && pool.all_down()) {  // the whole pool is down: all of it is probed fast
    for (const auto& each : pool.entries) each->schedule();
  }
}

void Monitor::Impl::end_first_round() {
  first_round.cancel();
  if (const auto done = std::exchange(first_round_done, {})) done();
}

void Monitor::Impl::say_never_passed() {
  for (const auto& pool : pools) {
    if (pool->settings.type != Settings::Type::http) continue;
    const bool passed = std::any_of(pool->entries.begin(), pool->entries.end(),
                                    [](const auto& each) { return each->machine.ever_passed(); });
    if (passed || pool->entries.empty()) continue;
    log::warn(
        "pool {}: no server has passed its health check yet ({} {}; the last answer: {}); see "
        "[pool.{}.health] in limpet.toml(5)",
        pool->name, pool->settings.method, pool->settings.path, pool->entries.front()->machine.reason(),
        pool->name);
  }
}

// --- interface ---

Monitor::Monitor(net::Loop& control) : impl_(std::make_unique<Impl>(*this, control)) {}

Monitor::~Monitor() {
  *impl_->alive = false;
}

std::unique_ptr<Monitor::Impl::Entry> Monitor::Impl::make_entry(Pool& pool, Watched watched,
                                                                StateMachine::Since since) {
  auto entry = std::make_unique<Entry>(*this, pool, std::move(watched), since);
  routing::Server::View& view = entry->server().view;
  view.state.store(entry->machine.state(), std::memory_order_relaxed);
  view.failed_connects.store(0, std::memory_order_relaxed);
  const std::lock_guard lock(entries);
  by_serial[entry->server().serial] = entry.get();
  return entry;
}

void Monitor::Impl::forget(Entry& entry) {
  const std::lock_guard lock(entries);
  const auto found = by_serial.find(entry.server().serial);
  if (found != by_serial.end() && found->second == &entry) by_serial.erase(found);
}

void Monitor::add_pool(std::string name, Settings settings, std::vector<Watched> servers) {
  auto pool = std::make_unique<Impl::Pool>();
  pool->name = std::move(name);
  pool->settings = std::move(settings);
  for (Watched& each : servers) {
    pool->entries.push_back(impl_->make_entry(*pool, std::move(each), StateMachine::Since::start));
    pool->entries.back()->waited_for = true;
    ++impl_->awaited;
  }
  impl_->pools.push_back(std::move(pool));
}

void Monitor::update_pool(std::string_view name, std::vector<Watched> servers) {
  const auto named = [&](const auto& each) { return each->name == name; };
  const auto found = std::find_if(impl_->pools.begin(), impl_->pools.end(), named);
  if (found == impl_->pools.end()) return;
  Impl::Pool& pool = **found;
  std::unordered_map<std::uint32_t, std::unique_ptr<Impl::Entry>> before;
  for (auto& each : pool.entries) before.emplace(each->server().serial, std::move(each));
  pool.entries.clear();
  std::vector<Impl::Entry*> added;
  for (Watched& each : servers) {
    const auto known = before.find(each.server->serial);
    if (known != before.end() && known->second->watched.target == each.target) {
      pool.entries.push_back(std::move(known->second));
      before.erase(known);
    } else {
      pool.entries.push_back(impl_->make_entry(pool, std::move(each), StateMachine::Since::later));
      added.push_back(pool.entries.back().get());
    }
  }
  for (const auto& [serial, entry] : before) {
    impl_->forget(*entry);
    entry->first_result();
  }
  before.clear();
  for (Impl::Entry* each : added) each->begin();
}

void Monitor::start(std::function<void()> first_round_done) {
  impl_->first_round_done = std::move(first_round_done);
  impl_->first_round.after(kFirstRoundMs);
  impl_->never_passed.after(kNeverPassedMs);
  for (const auto& pool : impl_->pools) {
    for (const auto& entry : pool->entries) entry->begin();
  }
}

// To the Entry that is there then.
void Monitor::Impl::post(std::uint32_t serial, void (Entry::*what)()) {
  loop.post([this, serial, what, is = alive] {
    if (!*is) return;
    if (Entry* const entry = find(serial)) (entry->*what)();
  });
}

void Monitor::connect_failed(const routing::Server& server, int error) {
  const std::lock_guard lock(impl_->entries);
  Impl::Entry* entry = impl_->find(server.serial);
  if (entry == nullptr) return;
  entry->server().view.failed_connects.fetch_add(1, std::memory_order_relaxed);
  entry->last_error.store(error, std::memory_order_relaxed);
  if (entry->failed_noted.exchange(true, std::memory_order_relaxed)) return;
  impl_->post(server.serial, &Impl::Entry::on_connect_failed);
}

void Monitor::connect_succeeded(const routing::Server& server) {
  if (server.view.failed_connects.load(std::memory_order_relaxed) == 0) return;
  const std::lock_guard lock(impl_->entries);
  if (Impl::Entry* entry = impl_->find(server.serial)) {
    entry->server().view.failed_connects.store(0, std::memory_order_relaxed);
  }
}

void Monitor::handshake_slow(const routing::Server& server) {
  const std::lock_guard lock(impl_->entries);
  Impl::Entry* entry = impl_->find(server.serial);
  if (entry == nullptr || entry->slow_noted.exchange(true, std::memory_order_relaxed)) return;
  impl_->post(server.serial, &Impl::Entry::on_slow);
}

bool Monitor::set_wanted(std::string_view pool, std::string_view id, routing::Wanted wanted) {
  for (const auto& each : impl_->pools) {
    if (each->name != pool) continue;
    for (const auto& entry : each->entries) {
      if (entry->server().id != id) continue;
      if (entry->server().wanted() == routing::Wanted::leaving) return false;
      const routing::Wanted before = entry->server().view.wanted.exchange(wanted, std::memory_order_relaxed);
      if (before != wanted) {
        log::info("server {}/{}: an operator wants it {} (was {})", pool, id, name_of(wanted),
                  name_of(before));
      }
      return true;
    }
  }
  return false;
}

std::vector<Status> Monitor::status() const {
  std::vector<Status> all;
  for (const auto& pool : impl_->pools) {
    for (const auto& entry : pool->entries) {
      Status status{pool->name,
                    entry->server().id,
                    {},
                    entry->machine.state(),
                    entry->server().wanted(),
                    entry->machine.reason(),
                    entry->since_ms,
                    entry->machine.passed_in_a_row(),
                    entry->machine.silent_in_a_row(),
                    entry->machine.needed()};
      for (const net::Address& each : *entry->watched.target->addresses())
        status.addresses.push_back(each.text());
      all.push_back(std::move(status));
    }
  }
  return all;
}

}  // namespace limpet::health
