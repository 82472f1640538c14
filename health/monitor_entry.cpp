// One server: its name is resolved, it is probed, its state is published.
#include <cstring>
#include <utility>

#include "health/monitor_impl.h"
#include "proxy/log/log.h"

namespace limpet::health {
namespace {

using routing::State;

constexpr std::uint64_t kResolveEveryMs = 30'000;
constexpr std::uint64_t kSlowGapMs = 500;  // clients' slow handshakes bring no more than a probe in this

std::string duration_text(std::uint64_t ms) {
  const std::uint64_t seconds = ms / 1000;
  if (seconds < 1) return std::to_string(ms) + "ms";
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m" + std::to_string(seconds % 60) + "s";
  return std::to_string(seconds / 3600) + "h" + std::to_string(seconds / 60 % 60) + "m";
}

}  // namespace

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
                          Entry* entry = monitor.find(serial);
                          if (entry && entry->ahead && entry->ahead->watched.target == target)
                            entry = entry->ahead.get();
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
    const std::uint32_t in_a_row = count_connect(report.result == Result::connect_failed);
    apply(machine.on_probe(report.result, report.text, net::now_ms(), pool.all_down(), in_a_row));
    first_result();
  }
  schedule();
}

// How many of the server's connects have failed in a row now; workers' are where it still is.
std::uint32_t Monitor::Impl::Entry::count_connect(bool failed) {
  if (is_ahead) return failed_ahead = failed ? failed_ahead + 1 : 0;
  auto& so_far = server().view.failed_connects;
  if (failed) return so_far.fetch_add(1, std::memory_order_relaxed) + 1;
  so_far.store(0, std::memory_order_relaxed);
  return 0;
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

// --- a server that moves ---

void Monitor::Impl::Entry::look_ahead(const std::shared_ptr<const Watched>& to) {
  if (to == nullptr) return ahead.reset();
  if (ahead && ahead->watched.target == to->target) return;
  ahead = std::make_unique<Entry>(impl, pool, *to, StateMachine::Since::later);
  ahead->is_ahead = true;
  ahead->begin();
}

void Monitor::Impl::Entry::say_of_move() {
  since_ms = net::now_ms();
  if (machine.state() == State::up) {
    impl.loop.post([monitor = &impl.monitor, target = watched.target, is = impl.alive] {
      if (*is && monitor->on_arrival) monitor->on_arrival(*target);
    });
  } else {
    log::warn("server {}/{} does not move to {} yet: {}", server().pool, server().id, watched.host_header,
              machine.reason());
  }
}

// The Entry where it was is gone, and this one is the server's.
void Monitor::Impl::Entry::take_over() {
  is_ahead = false;
  impl.enter(*this);
  auto& view = server().view;
  const State from = view.state.exchange(machine.state(), std::memory_order_relaxed);
  view.slow_start_at_ms.store(pool.alone() ? 0 : net::now_ms(), std::memory_order_relaxed);
  if (from == machine.state()) return;
  view.transitions.fetch_add(1, std::memory_order_relaxed);
  if (impl.monitor.on_change) impl.monitor.on_change(server(), from, machine.state(), machine.reason());
}

// The one place where a state is published.
void Monitor::Impl::Entry::apply(const StateMachine::Step& step) {
  const bool first = !is_ahead && !server().view.met.exchange(true, std::memory_order_relaxed);
  if (!step.changed) {  // it is what it was taken for
    if (first && impl.monitor.on_change)
      impl.monitor.on_change(server(), machine.state(), machine.state(), machine.reason());
    return;
  }
  if (is_ahead) return say_of_move();
  const std::uint64_t now = net::now_ms();
  const State to = machine.state();
  const std::uint64_t lasted = now - std::exchange(since_ms, now);
  const bool alone = pool.alone();
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
    for (const auto& each : pool.entries) {
      each->schedule();
      if (each->ahead) each->ahead->schedule();
    }
  }
}

}  // namespace limpet::health
