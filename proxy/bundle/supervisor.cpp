#include "proxy/bundle/supervisor.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>

#include "proxy/bundle/child.h"
#include "proxy/log/log.h"

namespace limpet::bundle {
namespace {

constexpr std::uint64_t kPatienceMs = 10'000;  // at the start: for those that others build on
// Of the budget at the end. Nodes have their drain window, and some seconds to cut what is left.
constexpr std::uint64_t kNodesMs = 26'000, kProxyMs = 28'000, kRedisMs = 2'000;
constexpr std::uint64_t kClosedMs = 1'000;  // for the proxy to stop accepting
constexpr std::uint64_t kLookMs = 20;

}  // namespace

struct Supervisor::Impl final : Child::Owner {
  Impl(net::Loop& l, const RuntimeFolder& f, const Blueprint& b, Settings s, Observer& o)
      : loop(l), folder(f), blueprint(b), settings(std::move(s)), observer(o) {}

  void on_state(Child& child, State from, State to) override;
  void on_line(const Child& child, std::string_view line) override {
    observer.on_line(child.spec().id, line);
  }

  template <class F>
  void each(F&& f) const {
    if (redis) f(*redis);
    for (const auto& node : nodes) f(*node);
    if (proxy) f(*proxy);
  }
  template <class P>
  bool all(P&& p) const {
    bool yes = true;
    each([&](const Child& child) { yes = yes && p(child); });
    return yes;
  }
  std::string write_files();
  void advance();
  void on_patience();
  void advance_start();
  void advance_stop();
  void on_look();
  void stop_nodes();

  net::Loop& loop;
  const RuntimeFolder& folder;
  const Blueprint& blueprint;
  const Settings settings;
  Observer& observer;
  Overview::Stage stage = Overview::Stage::starting;
  std::unique_ptr<Child> redis, proxy;
  std::vector<std::unique_ptr<Child>> nodes;
  net::Deferred turn{net::delegate<&Impl::advance>(this)};
  net::Timer patience{loop, net::delegate<&Impl::on_patience>(this)};
  net::Timer look{loop, net::delegate<&Impl::on_look>(this)};
  std::unique_ptr<Checker> closed;  // while it stops: whether the proxy still takes connections
  std::uint64_t look_until_ms = 0;
  bool impatient = false;
  bool told_ready = false;
  bool nodes_told = false;  // to stop
  bool told_end = false;
  bool clean = true;
};

std::string Supervisor::Impl::write_files() {
  std::vector<ChildSpec> specs;
  for (const auto& node : nodes) specs.push_back(node->spec());
  auto files = blueprint.files();
  files.emplace_back("limpet.toml", blueprint.proxy_document(specs));
  for (const auto& [name, text] : files) {
    if (std::string wrong = folder.write(name, text); !wrong.empty()) return wrong;
  }
  return {};
}

// Children are told of one another's changes once a turn, from the loop and not from within a child.
void Supervisor::Impl::on_state(Child& child, State from, State to) {
  const bool ended = runs(from) && to == State::stopped;
  if (stage == Overview::Stage::stopping && ended && child.forced()) clean = false;
  observer.on_change();
  loop.at_end_of_turn(turn);
}

void Supervisor::Impl::advance() {
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
    if (child.state() != State::stopped) return;
    child.start();
    patience.after(kPatienceMs);
    impatient = false;
  };
  if (redis) begin(*redis);
  if (redis && !settled(*redis)) return;
  for (const auto& node : nodes) begin(*node);
  if (!std::ranges::all_of(nodes, [&](const auto& node) { return settled(*node); })) return;
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
  if (!std::ranges::all_of(nodes, gone) || !gone(proxy)) return;
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
  for (const auto& node : nodes) node->stop(kNodesMs);
  loop.at_end_of_turn(turn);
}

// --- interface ---

Supervisor::Supervisor(net::Loop& loop, const RuntimeFolder& folder, const Blueprint& blueprint,
                       Settings settings, Observer& observer)
    : impl_(std::make_unique<Impl>(loop, folder, blueprint, std::move(settings), observer)) {}
Supervisor::~Supervisor() = default;

std::string Supervisor::start() {
  Impl& self = *impl_;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto child = [&](ChildSpec spec) {
    return std::make_unique<Child>(self.loop, std::move(spec), self);
  };
  if (self.blueprint.manages_redis()) self.redis = child(self.blueprint.redis());
  for (std::size_t i = 0; i < self.settings.ports.size(); ++i) {
    self.nodes.push_back(
        child(self.blueprint.node(static_cast<std::uint32_t>(i + 1), self.settings.ports[i])));
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
  self.observer.on_change();
  const bool serving = self.proxy->state() == State::ready;
  self.proxy->stop(kProxyMs + self.settings.shutdown_delay_ms);
  if (!serving) return self.stop_nodes();
  // Until it says that it takes nobody any more; then for as long as it goes on nevertheless.
  self.look_until_ms = net::now_ms() + kClosedMs;
  self.closed =
      std::make_unique<Checker>(self.loop, self.proxy->spec().check, [this](const Checker::Report& report) {
        if (!report.good) impl_->look_until_ms = 0;
        impl_->look.after(report.good ? kLookMs : impl_->settings.shutdown_delay_ms);
      });
  self.closed->start();
}

void Supervisor::force() {
  Impl& self = *impl_;
  self.stage = Overview::Stage::stopping;
  self.clean = false;
  self.each([](Child& child) {
    child.stop(0);
    child.kill();
  });
  self.nodes_told = true;
  self.loop.at_end_of_turn(self.turn);
}

void Supervisor::reap() {
  Impl& self = *impl_;
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) break;
    Child* found = nullptr;
    self.each([&](Child& child) {
      if (child.guard() == pid) found = &child;
    });
    if (found == nullptr) continue;  // a stray
    found->on_end(status);
    if (!WIFSIGNALED(status)) continue;
    std::vector<pid_t> guards;
    self.each([&](const Child& child) { guards.push_back(child.guard()); });
    kill_strays(guards);
  }
}

void Supervisor::signal_all(int number) {
  impl_->each([number](Child& child) {
    if (child.spec().kind != Kind::redis) child.signal(number);
  });
}

Overview Supervisor::overview() const {
  Overview out;
  out.stage = impl_->stage;
  impl_->each([&](const Child& child) { out.children.push_back(child.view()); });
  return out;
}

}  // namespace limpet::bundle
