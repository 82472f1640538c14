#include "health/monitor.h"

#include <algorithm>
#include <utility>

#include "health/monitor_impl.h"
#include "proxy/log/log.h"

namespace limpet::health {
namespace {

constexpr std::uint64_t kFirstRoundMs = 1'000;
constexpr std::uint64_t kNeverPassedMs = 5'000;  // after the start

}  // namespace

// Posted: it may change the pools, and the Entry that had the last result is still at work.
void Monitor::Impl::end_first_round() {
  first_round.cancel();
  auto done = std::exchange(first_round_done, {});
  if (!done) return;
  loop.post([done = std::move(done), is = alive] {
    if (*is) done();
  });
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
  entry->server().view.state.store(entry->machine.state(), std::memory_order_relaxed);
  entry->server().view.met.store(since == StateMachine::Since::start, std::memory_order_relaxed);
  enter(*entry);
  return entry;
}

void Monitor::Impl::enter(Entry& entry) {
  entry.server().view.failed_connects.store(0, std::memory_order_relaxed);
  const std::lock_guard lock(entries);
  by_serial[entry.server().serial] = &entry;
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
  std::vector<Impl::Entry*> arrived;
  for (Watched& each : servers) {
    const auto known = before.find(each.server->serial);
    Impl::Entry* const entry = known == before.end() ? nullptr : known->second.get();
    if (entry != nullptr && entry->watched.target == each.target) {
      pool.entries.push_back(std::move(known->second));
      before.erase(known);
      entry->look_ahead(each.moves_to);
    } else if (entry != nullptr && entry->ahead && entry->ahead->watched.target == each.target) {
      pool.entries.push_back(std::move(entry->ahead));
      arrived.push_back(pool.entries.back().get());
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
  for (Impl::Entry* each : arrived) each->take_over();
  for (Impl::Entry* each : added) each->begin();
  if (!pool.all_down()) return;
  for (const auto& each : pool.entries) each->probe_by(net::now_ms() + pool.settings.fast_interval_ms);
}

void Monitor::start(std::function<void()> first_round_done) {
  impl_->first_round_done = std::move(first_round_done);
  impl_->first_round.after(kFirstRoundMs);
  impl_->never_passed.after(kNeverPassedMs);
  for (const auto& pool : impl_->pools) {
    for (const auto& entry : pool->entries) entry->begin();
  }
  if (impl_->awaited == 0) impl_->end_first_round();
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
