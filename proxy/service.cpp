#include "proxy/service.h"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "health/monitor.h"
#include "proxy/admin/server.h"
#include "proxy/capacity.h"
#include "proxy/config/difference.h"
#include "proxy/discovery/discovery.h"
#include "proxy/endpoint.h"
#include "proxy/heap.h"
#include "proxy/log/log.h"
#include "proxy/membership.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/net/signals.h"
#include "proxy/notify.h"
#include "proxy/overview.h"
#include "proxy/placement.h"
#include "proxy/read_again.h"
#include "proxy/session/worker.h"

namespace limpet {
namespace {

constexpr std::uint64_t kPollMs = 20;       // while shutting down: is everything closed yet
constexpr std::uint64_t kFinishMs = 1'000;  // after drain_timeout: for the last closes to be seen
constexpr std::uint64_t kTrimMs = 1'000;    // after many clients have gone: for the rest of them to go

// What workers see of servers goes to health.
class Observer final : public session::ServerObserver {
 public:
  explicit Observer(health::Monitor& monitor) : monitor_(monitor) {}
  void connect_failed(const routing::Server& server, int error) override {
    monitor_.connect_failed(server, error);
  }
  void connect_succeeded(const routing::Server& server) override { monitor_.connect_succeeded(server); }
  void handshake_slow(const routing::Server& server) override { monitor_.handshake_slow(server); }

 private:
  health::Monitor& monitor_;
};

}  // namespace

struct Service::Impl final : session::CrowdObserver {
  explicit Impl(std::shared_ptr<const config::Config> c) : config(std::move(c)) {}
  void many_have_gone() override {
    loop.post([this] {
      if (!trim.armed()) trim.after(kTrimMs);
    });
  }

  bool place();
  bool bind_all();
  bool bind_admin();
  bool start();
  void start_admin();
  void watch_servers();
  void adopt_found();
  void on_change(const routing::Server& server, routing::State from, routing::State to);
  void open_listeners();
  void on_signal(int number);
  void reload();
  void apply(std::shared_ptr<const config::Config> fresh);
  void begin_shutdown();
  void close_listeners();
  void on_step();
  void on_trim();
  std::string_view stage_name() const;
  bool everything_closed() const;
  void update_readiness();
  void remove_files();

  std::shared_ptr<const config::Config> config;
  Placement placement;
  net::Loop loop;
  net::Timer step{loop, net::delegate<&Impl::on_step>(this)};
  net::Timer trim{loop, net::delegate<&Impl::on_trim>(this)};
  std::unique_ptr<routing::SidTable> sids;
  std::unique_ptr<health::Monitor> monitor;
  std::unique_ptr<Observer> observer;
  std::unique_ptr<session::Shared> shared;
  std::vector<std::unique_ptr<session::Worker>> workers;
  std::unique_ptr<Membership> membership;
  discovery::Discovery names{loop};
  std::vector<net::BoundListener> bound;
  net::BoundListener admin_bound;
  std::unique_ptr<Overview> overview;
  std::unique_ptr<admin::Server> admin;
  std::unique_ptr<net::Signals> signals;
  enum class Stage : std::uint8_t {
    starting,
    serving,
    delaying,
    draining,
    finishing
  } stage = Stage::starting;
  std::uint64_t stage_ends_ms = 0;
  bool reload_wanted = false;  // while starting
};

bool Service::Impl::place() {
  placement = place_workers(config->proxy, net::usable_cpus());
  for (const config::Problem& each : placement.problems) log::error("{}", config::format(config->file, each));
  return placement.problems.empty();
}

bool Service::Impl::bind_all() {
  for (const config::Listener& each : config->listeners) {
    const auto address = to_address(each.address);
    net::BoundListener listener =
        address ? net::bind_listener(*address, placement.workers)
                : net::BoundListener{
                      {}, {}, {}, each.address.text() + ": the path is too long for a Unix socket"};
    if (listener.error.empty() && config->proxy.accept_balance == config::AcceptBalance::cpu)
      listener.error = net::balance_by_cpu(listener, placement.cpus);
    if (!listener.error.empty()) {
      log::error("cannot listen on {}", listener.error);
      return false;
    }
    bound.push_back(std::move(listener));
  }
  return true;
}

// Without an address in the file a second limpet on this machine must still start.
bool Service::Impl::bind_admin() {
  const auto address = to_address(config->admin.address);
  admin_bound = address ? net::bind_listener(*address, 1, 0600)
                        : net::BoundListener{{}, {}, {}, config->admin.address.text() + ": not an address"};
  if (admin_bound.error.empty()) return true;
  if (config->admin.by_default) {
    log::warn("no admin: {}; set [admin] address", admin_bound.error);
    return true;
  }
  log::error("admin: cannot listen on {}", admin_bound.error);
  return false;
}

void Service::Impl::start_admin() {
  if (admin_bound.sockets.empty()) return;
  overview = std::make_unique<Overview>(Overview::Parts{membership->snapshot(), workers, *shared, *sids,
                                                        *monitor, [this] { return stage_name(); }});
  log::info("admin on {}", admin_bound.address.text());
  admin = std::make_unique<admin::Server>(loop, std::move(admin_bound.sockets.front()), admin_bound.address,
                                          *overview);
}

std::string_view Service::Impl::stage_name() const {
  if (stage == Stage::starting) return "starting";
  return stage == Stage::serving ? "serving" : "draining";
}

bool Service::Impl::start() {
  if (!place()) return false;
  const std::uint32_t count = placement.workers;
  const Capacity capacity = check_capacity(*config, count);
  for (const std::string& each : capacity.warnings) log::warn("{}", each);
  for (const std::string& each : capacity.notes) log::info("{}", each);
  if (!bind_all() || !bind_admin()) return false;

  sids = std::make_unique<routing::SidTable>(config->limits.sid_entries);
  monitor = std::make_unique<health::Monitor>(loop);
  membership = std::make_unique<Membership>(
      Membership::Parts{loop, *monitor, workers, [this] { update_readiness(); }}, config);
  observer = std::make_unique<Observer>(*monitor);
  shared = std::make_unique<session::Shared>(*sids, *observer, *this, capacity.max_connections);
  for (std::uint32_t i = 0; i < count; ++i) {
    workers.push_back(
        std::make_unique<session::Worker>(*shared, membership->snapshot(), placement.cpu_of(i)));
    for (std::size_t l = 0; l < bound.size(); ++l) {
      workers.back()->listen(std::move(bound[l].sockets[i]), static_cast<std::uint32_t>(l));
    }
    workers.back()->start();
  }
  signals = std::make_unique<net::Signals>(loop, std::initializer_list<int>{SIGTERM, SIGINT, SIGHUP, SIGUSR1},
                                           [this](int number) { on_signal(number); });
  watch_servers();
  start_admin();
  return true;
}

void Service::Impl::watch_servers() {
  monitor->on_change = [this](const routing::Server& server, routing::State from, routing::State to,
                              std::string_view) { on_change(server, from, to); };
  names.on_change = [this] { adopt_found(); };
  names.follow(config);
  names.when_first_answers([this] {
    adopt_found();
    membership->watch();
    monitor->start([this] { open_listeners(); });
  });
}

// Other addresses of a name.
void Service::Impl::adopt_found() {
  const std::string changed = membership->adopt(names.whole());
  if (changed.empty()) return;
  log::info("dns: {}", changed);
}

// A silent server: what waits on it goes elsewhere; one that is down loses its idle connections, and its
// tunnels where on_down says so.
void Service::Impl::on_change(const routing::Server& server, routing::State from, routing::State to) {
  const bool silent = to == routing::State::down || to == routing::State::suspect;
  for (const auto& worker : workers) {
    if (silent && from != to) worker->server_silent(server.serial);
    if (to == routing::State::down) worker->server_down(server.serial);
  }
  update_readiness();
}

void Service::Impl::update_readiness() {
  const bool serving = stage == Stage::serving;
  // A server that refuses new sessions still serves those that it has: a balancer before us must not move
  // them. One that leaves counts for as long as it would stand in for the others.
  const auto& pools = membership->snapshot()->pools;
  const bool any_there = std::any_of(pools.begin(), pools.end(), [](const auto& pool) {
    const auto& members = pool->routing.members();
    return std::any_of(members.begin(), members.end(), [](const routing::Member& each) {
      const routing::State state = each.server->state();
      if (each.server->wanted() != routing::Wanted::leaving)
        return state != routing::State::down && each.server->met();
      return each.leaving_weight != 0 && state == routing::State::up;
    });
  });
  shared->ready.store(serving && any_there, std::memory_order_relaxed);
}

void Service::Impl::open_listeners() {
  if (stage != Stage::starting) return;
  stage = Stage::serving;
  update_readiness();
  for (const auto& worker : workers) worker->accept();
  for (const net::BoundListener& each : bound) log::info("listening on {}", each.address.text());
  notify_supervisor("READY=1");
  if (std::exchange(reload_wanted, false)) reload();
}

void Service::Impl::on_signal(int number) {
  switch (number) {
    case SIGHUP: reload(); break;
    case SIGUSR1: log::reopen(); break;
    default:
      if (stage == Stage::starting || stage == Stage::serving) {
        begin_shutdown();
      } else {
        log::warn("second signal: exiting at once");
        remove_files();
        log::stop(100);
        ::_exit(1);
      }
  }
}

// --- SIGHUP: other servers in the pools, and nothing else ---

void Service::Impl::reload() {
  if (stage == Stage::starting) {
    reload_wanted = true;
    return;
  }
  if (stage != Stage::serving) return log::info("SIGHUP: limpet is shutting down; nothing changes");
  notify_supervisor("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(net::now_us()));
  if (auto fresh = read_again(config->file)) apply(std::move(fresh->config));
  notify_supervisor("READY=1");
}

void Service::Impl::apply(std::shared_ptr<const config::Config> fresh) {
  if (const auto key = config::first_difference(*config, *fresh)) {
    log::error("SIGHUP: {} changes {}, which needs a restart; nothing changes", config->file, *key);
    return;
  }
  names.follow(fresh);
  const std::string changed = membership->adopt(names.whole());
  if (changed.empty()) return log::info("SIGHUP: nothing has changed in {}", config->file);
  config = std::move(fresh);
  log::info("SIGHUP: {}", changed);
  for (const std::string& each : check_capacity(*config, placement.workers).warnings) log::warn("{}", each);
}

void Service::Impl::begin_shutdown() {
  notify_supervisor("STOPPING=1");
  const std::uint64_t delay = stage == Stage::starting ? 0 : config::ms(config->proxy.shutdown_delay);
  stage = Stage::delaying;
  log::info("shutting down: readiness is off, accepting goes on for {} ms", delay);
  shared->draining.store(true, std::memory_order_relaxed);
  update_readiness();
  if (delay == 0) return close_listeners();
  step.after(delay);
}

void Service::Impl::close_listeners() {
  stage = Stage::draining;
  names.stop();
  const std::uint64_t window = config::ms(config->proxy.drain_timeout);
  log::info("listeners closed; open tunnels are closed over {} ms", window);
  for (net::BoundListener& each : bound) net::remove_file(each);
  for (const auto& worker : workers) {
    worker->finish_accepting();
    worker->drain(window);
  }
  stage_ends_ms = net::now_ms() + window;
  step.after(kPollMs);
}

void Service::Impl::remove_files() {
  for (net::BoundListener& each : bound) net::remove_file(each);
  net::remove_file(admin_bound);
}

bool Service::Impl::everything_closed() const {
  return std::all_of(workers.begin(), workers.end(), [](const auto& worker) {
    return worker->accepting_finished() && worker->metrics().sessions.load(std::memory_order_relaxed) == 0 &&
           worker->tunnels().open() == 0;
  });
}

void Service::Impl::on_step() {
  if (stage == Stage::delaying) return close_listeners();
  if (everything_closed()) {
    loop.stop();
    return;
  }
  const std::uint64_t now = net::now_ms();
  if (now >= stage_ends_ms) {
    if (stage == Stage::finishing) {
      loop.stop();
      return;
    }
    stage = Stage::finishing;
    log::info("drain_timeout is over: closing what is left");
    for (const auto& worker : workers) worker->close_all();
    stage_ends_ms = now + kFinishMs;
  }
  step.after(kPollMs);
}

// malloc keeps what a crowd has left behind. Where half of it has gone for good, and not where clients come
// and go, the pages are the system's again: one pass over the heap, once a second at most.
void Service::Impl::on_trim() {
  const std::uint32_t now = shared->connections.load(std::memory_order_relaxed);
  const std::uint32_t most = shared->most_connections.load(std::memory_order_relaxed);
  if (now * 2 > most) return;
  ::malloc_trim(0);
  shared->most_connections.store(now, std::memory_order_relaxed);
}

Service::Service(std::shared_ptr<const config::Config> config)
    : impl_(std::make_unique<Impl>(std::move(config))) {}
Service::~Service() = default;

int Service::run() {
  Impl& self = *impl_;
  keep_heap_small();
  const bool started = self.start();
  if (started) self.loop.run();
  self.remove_files();
  self.signals.reset();  // one more signal ends a process whose threads do not
  for (const auto& worker : self.workers) worker->stop();
  self.workers.clear();
  if (started) log::info("exit");
  return started ? 0 : 1;
}

}  // namespace limpet
