#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "proxy/bundle/guard.h"
#include "proxy/bundle/supervisor_impl.h"

namespace limpet::bundle {
namespace {

constexpr std::uint64_t kPatienceMs = 10'000;  // at the start: for those that others build on
// Of the budget at the end, the proxy's shutdown_delay included; nodes are given until kNodeEndMs.
constexpr std::uint64_t kProxyMs = 27'500, kRedisMs = 2'000;
constexpr std::uint64_t kClosedMs = 1'000;  // for the proxy to stop accepting
constexpr std::uint64_t kLookMs = 20;

}  // namespace

// Children are told of one another's changes once a turn, from the loop and not from within a child.
void Supervisor::Impl::on_state(Child& child, State from, State to) {
  const bool ended = runs(from) && to == State::stopped;
  if (stage == Overview::Stage::stopping && ended && child.forced()) clean = false;
  observer.on_change();
  loop_.at_end_of_turn(turn);
}

void Supervisor::Impl::advance() {
  over.reset();
  removed.clear();
  if (operation) operation->on_change();
  if (stage != Overview::Stage::stopping) give_back_ready();
  stage == Overview::Stage::stopping ? advance_stop() : advance_start();
}

// --- the start ---

void Supervisor::Impl::on_patience() {
  impatient = true;
  advance();
}

// Who fails at its start does not hold up the others for ever.
void Supervisor::Impl::advance_start() {
  const auto settled = [this](const Child& child) {
    return impatient || child.state() == State::ready || child.failed();
  };
  const auto begin = [this](Child& child) {
    if (child.begun()) return;
    child.start();
    patience.after(kPatienceMs);
    impatient = false;
  };
  if (redis) begin(*redis);
  if (redis && !settled(*redis)) return;
  for (const auto& node : node_list) begin(*node);
  if (!std::ranges::all_of(node_list, [&](const auto& node) { return settled(*node); })) return;
  begin(*proxy);
  if (told_ready || !all([](const Child& child) { return child.state() == State::ready; })) return;
  told_ready = true;
  patience.cancel();
  stage = Overview::Stage::serving;
  observer.on_all_ready();
}

// --- the end ---

void Supervisor::Impl::advance_stop() {
  if (told_end || !nodes_told) return;
  const auto gone = [](const auto& child) { return child->state() == State::stopped; };
  if (!std::ranges::all_of(node_list, gone) || !gone(proxy)) return;
  if (redis && !gone(redis)) return redis->stop(kRedisMs);
  told_end = true;
  observer.on_end(clean);
}

void Supervisor::Impl::on_look() {
  if (nodes_told) return;
  if (proxy->state() == State::stopped || net::now_ms() >= look_until_ms) return stop_nodes();
  closed->start();
}

void Supervisor::Impl::stop_nodes() {
  nodes_told = true;
  const std::uint64_t gone_ms = std::min(net::now_ms() - stopping_since_ms, kNodeEndMs);
  for (const auto& node : node_list) node->stop(kNodeEndMs - gone_ms);
  loop_.at_end_of_turn(turn);
}

// --- interface ---

Supervisor::Supervisor(net::Loop& loop, const RuntimeFolder& folder, const Blueprint& blueprint,
                       Settings settings, Observer& observer)
    : impl_(std::make_unique<Impl>(loop, folder, blueprint, std::move(settings), observer)) {}
Supervisor::~Supervisor() = default;

std::string Supervisor::start() {
  Impl& self = *impl_;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  self.inherited = direct_children();
  const auto child = [&](ChildSpec spec) {
    return std::make_unique<Child>(self.loop_, std::move(spec), self);
  };
  if (self.blueprint.manages_redis()) self.redis = child(self.blueprint.redis());
  for (std::uint32_t i = 0; i < self.settings.nodes; ++i) {
    if (self.add_node() == nullptr) return "there is no free port for every node";
  }
  self.proxy = child(self.blueprint.proxy());
  if (std::string wrong = self.write_files(); !wrong.empty()) return wrong;
  self.advance();
  return {};
}

void Supervisor::stop() {
  Impl& self = *impl_;
  if (self.stage == Overview::Stage::stopping) return;
  self.stage = Overview::Stage::stopping;
  self.stopping_since_ms = net::now_ms();
  self.operation.reset();
  self.observer.on_change();
  const bool serving = self.proxy->state() == State::ready;
  self.proxy->stop(kProxyMs);
  if (!serving) return self.stop_nodes();
  // Until it says that it takes nobody any more; then for as long as it goes on nevertheless.
  self.look_until_ms = self.stopping_since_ms + kClosedMs;
  self.closed =
      std::make_unique<Checker>(self.loop_, self.proxy->spec().check, [this](const Checker::Report& report) {
        if (!report.good) impl_->look_until_ms = 0;
        impl_->look.after(report.good ? kLookMs : impl_->settings.shutdown_delay_ms);
      });
  self.closed->start();
}

void Supervisor::force() {
  Impl& self = *impl_;
  self.stage = Overview::Stage::stopping;
  self.operation.reset();
  self.clean = false;
  self.each([](Child& child) {
    child.stop(0);
    child.kill();
  });
  self.nodes_told = true;
  self.loop_.at_end_of_turn(self.turn);
}

// A guard that was killed has ended nothing: what it had comes to us, bit by bit, as its parents die.
void Supervisor::reap() {
  Impl& self = *impl_;
  bool strays = false;
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) break;
    Child* found = nullptr;
    self.each([&](Child& child) {
      if (child.guard() == pid) found = &child;
    });
    strays = strays || found == nullptr || WIFSIGNALED(status);
    if (found != nullptr) found->on_end(status);
  }
  if (!strays) return;
  std::vector<pid_t> known = self.inherited;
  self.each([&](const Child& child) { known.push_back(child.guard()); });
  kill_strays(known);
}

// Nodes write to us alone; and SIGUSR1 would open a debugger's port in one of Node.js.
void Supervisor::reopen_logs() {
  impl_->proxy->signal(SIGUSR1);
}

Overview Supervisor::overview() const {
  Overview out;
  out.stage = impl_->stage;
  impl_->each([&](const Child& child) { out.children.push_back(child.view()); });
  out.operation = impl_->operation_view();
  out.last_operation = impl_->last;
  return out;
}

const config::Endpoint& Supervisor::proxy_admin() const {
  return impl_->proxy_admin();
}

}  // namespace limpet::bundle
