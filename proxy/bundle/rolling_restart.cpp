// A rolling restart. Steps of each node: drain, replace, wait until the proxy sends it sessions again.
#include <algorithm>

#include "proxy/bundle/operation.h"
#include "proxy/log/log.h"

namespace limpet::bundle {
namespace {

constexpr std::uint64_t kLookMs = 100;
constexpr std::uint64_t kStepMs = 120'000;  // of one node, its end and its start
constexpr std::size_t kSpareNext = 3;       // with fewer there would be nobody for those who come

class RollingRestart final : public Operation {
 public:
  RollingRestart(Fleet& fleet, Done done)
      : fleet_(fleet),
        done_(std::move(done)),
        admin_(fleet.loop(), fleet.proxy_admin()),
        nodes_(fleet.nodes()),
        look_(fleet.loop(), net::delegate<&RollingRestart::look>(this)) {}
  ~RollingRestart() override = default;

  void start() override;
  void on_change() override;
  std::string_view name() const override { return "restart"; }
  std::uint32_t done() const override { return static_cast<std::uint32_t>(at_); }
  std::uint32_t of() const override { return static_cast<std::uint32_t>(nodes_.size()); }

 private:
  enum class Step : unsigned char { waiting, draining, replacing, returning, over };

  Child& node() const { return *nodes_[at_]; }
  bool late() const { return net::now_ms() >= step_ends_ms_; }
  bool others_ready() const;
  void next();
  void drain();
  void drain_own();
  void replace(bool drained);
  void give_back();
  std::string why_late() const;
  void look();
  void on_pool(const PoolState& pool);
  void finish(const std::string& wrong);
  void return_those_drained(const std::string& wrong);

  Fleet& fleet_;
  const Done done_;
  PoolAdmin admin_;
  std::vector<Child*> nodes_;  // in the order of their turns
  net::Timer look_;
  std::size_t at_ = 0;
  std::uint32_t restarts_ = 0;  // of the node, before its turn
  Step step_ = Step::waiting;
  std::uint64_t step_ends_ms_ = 0;
};

// Those that serve nobody have their turn first: that takes nothing away.
void RollingRestart::start() {
  std::ranges::stable_partition(nodes_, [](const Child* each) { return each->state() != State::ready; });
  next();
}

void RollingRestart::next() {
  if (at_ == nodes_.size()) return finish({});
  step_ = Step::waiting;
  step_ends_ms_ = net::now_ms() + kStepMs;
  drain();
}

bool RollingRestart::others_ready() const {
  return std::ranges::all_of(
      nodes_, [this](const Child* each) { return each == &node() || each->state() == State::ready; });
}

// One that has died meanwhile comes back first: there are never fewer than all but one.
void RollingRestart::drain() {
  if (node().state() == State::ready && !others_ready()) return look_.after(kLookMs);
  step_ = Step::draining;
  const bool spare = nodes_.size() >= kSpareNext && at_ + 1 < nodes_.size();
  if (!spare) return drain_own();
  // First, so that nobody who has to move now is sent there.
  admin_.drain(nodes_[at_ + 1]->spec().id, [this](bool) { drain_own(); });
}

void RollingRestart::drain_own() {
  admin_.drain(node().spec().id, [this](bool drained) { replace(drained); });
}

void RollingRestart::replace(bool drained) {
  if (!drained) return finish("the proxy does not answer");
  step_ = Step::replacing;
  restarts_ = node().view().restarts;
  log::info("{}: rolling restart, {} of {}", node().spec().id, at_ + 1, nodes_.size());
  node().replace(kNodeEndMs);
  look_.after(kLookMs);
}

void RollingRestart::on_change() {
  if (step_ != Step::replacing) return;
  if (node().state() == State::held) return finish(node().spec().id + " does not start");
  if (node().state() != State::ready || node().view().restarts == restarts_) return;
  step_ = Step::returning;
  give_back();
}

void RollingRestart::give_back() {
  admin_.ready(node().spec().id, [this](bool) { look_.after(kLookMs); });
}

std::string RollingRestart::why_late() const {
  if (step_ == Step::waiting) return "not all nodes are ready";
  return node().spec().id +
         (step_ == Step::returning ? ": the proxy does not see it up" : ": it is not ready in time");
}

void RollingRestart::look() {
  if (late()) return finish(why_late());
  if (step_ == Step::waiting) return drain();
  if (step_ != Step::returning) return look_.after(kLookMs);
  admin_.look([this](const PoolState& pool) { on_pool(pool); });
}

// A proxy that was started anew meanwhile knows of no draining; so much the better.
void RollingRestart::on_pool(const PoolState& pool) {
  const auto found = pool.find(node().spec().id);
  if (found == pool.end() || found->second.state != "up") return look_.after(kLookMs);
  if (found->second.wanted != "serving") return give_back();
  ++at_;
  next();
}

void RollingRestart::finish(const std::string& wrong) {
  if (step_ == Step::over) return;
  step_ = Step::over;
  look_.cancel();
  wrong.empty() ? done_(wrong) : return_those_drained(wrong);
}

// The one whose turn it was and the one that was to be spared get sessions again: who is ready now, others
// once they are.
void RollingRestart::return_those_drained(const std::string& wrong) {
  std::vector<Child*> now;
  for (std::size_t i = at_; i < nodes_.size() && i < at_ + 2; ++i) {
    nodes_[i]->state() == State::ready ? now.push_back(nodes_[i]) : fleet_.give_back(*nodes_[i]);
  }
  if (now.empty()) return done_(wrong);
  auto left = std::make_shared<std::size_t>(now.size());
  for (Child* each : now) {
    admin_.ready(each->spec().id, [this, left, each, wrong](bool returned) {
      if (!returned) fleet_.give_back(*each);
      if (--*left == 0) done_(wrong);
    });
  }
}

}  // namespace

std::unique_ptr<Operation> rolling_restart(Fleet& fleet, Operation::Done done) {
  return std::make_unique<RollingRestart>(fleet, std::move(done));
}

}  // namespace limpet::bundle
