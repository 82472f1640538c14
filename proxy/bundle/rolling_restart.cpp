// A rolling restart. Steps of each node: drain, replace, wait until the proxy sends it sessions again.
//
// Who serves is what the proxy says; it is asked at every step, also while a node is away.
#include <algorithm>
#include <set>

#include "proxy/bundle/operation.h"
#include "proxy/log/log.h"

namespace limpet::bundle {
namespace {

constexpr std::uint64_t kLookMs = 100;
constexpr std::uint64_t kStepMs = 120'000;  // of one node: for the others; then for its end and its start

constexpr const char* kSilent = "the proxy does not answer";

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
  bool up(const Child& each) const;
  bool serves(const Child& each) const;
  bool lost(const Child& each) const;
  bool costs_nothing(const Child& each) const;
  bool kept_away(Child& each) const;
  bool others_serve(const Child* but) const;
  std::string who_is_missing() const;
  std::string why_never() const;
  Child* to_spare() const;
  void next();
  void look();
  void on_pool();
  void on_waiting();
  void drain();
  void drain_own();
  void on_drained(bool drained);
  void replace();
  void give_back(std::vector<Child*> back);
  void spare_again();
  void keep_served();
  void on_returning();
  void look_again(std::string why);
  void look_soon() { look_.after(kLookMs); }
  void finish(const std::string& wrong);
  void return_ours(const std::string& wrong);

  Fleet& fleet_;
  const Done done_;
  PoolAdmin admin_;
  std::vector<Child*> nodes_;  // in the order of their turns
  std::set<Child*> ours_;      // that get no sessions because of us, or of one that was given up before
  net::Timer look_;            // not armed while the proxy is asked
  PoolState pool_;             // as it was last seen
  std::size_t at_ = 0;
  std::uint32_t restarts_ = 0;  // of the node, before its turn
  bool was_away_ = false;       // it got no sessions before its turn, either
  Child* spared_ = nullptr;     // next in line
  Step step_ = Step::waiting;
  std::uint64_t step_ends_ms_ = 0;
  std::string late_;  // what it has been waiting for
};

void RollingRestart::start() {
  for (Child* each : nodes_) {
    if (fleet_.owes(*each)) ours_.insert(each);
  }
  next();
}

void RollingRestart::next() {
  if (at_ == nodes_.size()) return finish({});
  step_ = Step::waiting;
  step_ends_ms_ = net::now_ms() + kStepMs;
  late_ = kSilent;
  look();
}

// --- what the proxy says ---

void RollingRestart::look() {
  if (net::now_ms() >= step_ends_ms_) return finish(late_);
  admin_.look([this](const PoolState& pool) {
    pool_ = pool;
    on_pool();
  });
}

// A proxy that is being started anew says nothing for a while.
void RollingRestart::on_pool() {
  if (step_ == Step::over) return;
  if (pool_.empty()) return look_again(kSilent);
  if (step_ == Step::waiting) return on_waiting();
  if (step_ == Step::draining) return replace();
  if (step_ == Step::returning) return on_returning();
  late_ = node().spec().id + ": it is not ready in time";
  keep_served();
}

void RollingRestart::look_again(std::string why) {
  late_ = std::move(why);
  look_soon();
}

// Of a process that has ended we may know before the proxy does.
bool RollingRestart::up(const Child& each) const {
  const auto found = pool_.find(each.spec().id);
  return each.state() == State::ready && found != pool_.end() && found->second.state == "up";
}

bool RollingRestart::serves(const Child& each) const {
  return up(each) && pool_.find(each.spec().id)->second.wanted == "serving";
}

// An operator has drained it: it is not waited for, and stays so.
bool RollingRestart::kept_away(Child& each) const {
  const auto found = pool_.find(each.spec().id);
  return found != pool_.end() && found->second.wanted != "serving" && !ours_.contains(&each);
}

// One that is suspect is not: it is chosen where nobody else is left.
bool RollingRestart::lost(const Child& each) const {
  const auto found = pool_.find(each.spec().id);
  if (each.state() != State::ready || found == pool_.end()) return true;
  return found->second.state == "refusing" || found->second.state == "down";
}

// Its turn takes nobody away from those who come.
bool RollingRestart::costs_nothing(const Child& each) const {
  return lost(each) || (&each != spared_ && pool_.find(each.spec().id)->second.wanted != "serving");
}

// Somebody takes new sessions but the node and `but`.
bool RollingRestart::others_serve(const Child* but) const {
  return std::ranges::any_of(
      nodes_, [&](const Child* each) { return each != &node() && each != but && serves(*each); });
}

// Before a node that serves is taken away every other is up: there are never fewer than all but one.
std::string RollingRestart::who_is_missing() const {
  for (Child* each : nodes_) {
    if (each != &node() && !kept_away(*each) && !up(*each)) return each->spec().id + " is not up";
  }
  return nodes_.size() == 1 || others_serve(nullptr) ? "" : "nobody but " + node().spec().id + " serves";
}

// Of all that get sessions one is left, it has still to be restarted, and the others will not stand in.
std::string RollingRestart::why_never() const {
  std::string away;
  Child* last = nullptr;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (kept_away(*nodes_[i])) {
      away += (away.empty() ? "" : ", ") + nodes_[i]->spec().id;
    } else if (last != nullptr || i < at_) {
      return {};
    } else {
      last = nodes_[i];
    }
  }
  if (away.empty() || last == nullptr || costs_nothing(*last)) return {};
  return "nobody would serve while " + last->spec().id + " is restarted, as an operator has drained " + away;
}

// --- a turn ---

// Those that serve nobody come first: meanwhile all others serve.
void RollingRestart::on_waiting() {
  if (std::string why = why_never(); !why.empty()) return finish(why);
  std::stable_partition(nodes_.begin() + static_cast<std::ptrdiff_t>(at_), nodes_.end(),
                        [this](Child* each) { return costs_nothing(*each); });
  if (!pool_.contains(node().spec().id)) return look_again("the proxy does not list " + node().spec().id);
  if (spared_ != nullptr && spared_ != &node() && spared_ != to_spare()) return give_back({spared_});
  if (!costs_nothing(node())) {
    if (const std::string missing = who_is_missing(); !missing.empty()) {
      late_ = missing;
      return keep_served();
    }
  }
  drain();
}

// The next in line, where others are left for those who come.
Child* RollingRestart::to_spare() const {
  Child* const next = at_ + 1 < nodes_.size() ? nodes_[at_ + 1] : nullptr;
  return next != nullptr && (serves(*next) || next == spared_) && others_serve(next) ? next : nullptr;
}

// The one to be spared first, so that nobody who has to move now is sent there.
void RollingRestart::drain() {
  step_ = Step::draining;
  was_away_ = pool_.find(node().spec().id)->second.wanted != "serving" && &node() != spared_;
  spared_ = to_spare();
  if (spared_ == nullptr) return drain_own();
  ours_.insert(spared_);
  admin_.drain(spared_->spec().id, [this](bool drained) { drained ? drain_own() : on_drained(false); });
}

void RollingRestart::drain_own() {
  if (step_ == Step::over) return;
  if (kept_away(node())) return look();
  ours_.insert(&node());
  admin_.drain(node().spec().id, [this](bool drained) { on_drained(drained); });
}

void RollingRestart::on_drained(bool drained) {
  if (step_ == Step::over) return;
  drained ? look() : finish(kSilent);
}

// Meanwhile another one may have died, or the proxy itself.
void RollingRestart::replace() {
  const bool free = was_away_ || lost(node());
  const auto found = pool_.find(node().spec().id);
  const bool away = found != pool_.end() && found->second.wanted != "serving";
  if (!away || (!free && !who_is_missing().empty())) {
    step_ = Step::waiting;
    return give_back({&node(), spared_});
  }
  step_ = Step::replacing;
  step_ends_ms_ = net::now_ms() + kStepMs;
  restarts_ = node().view().restarts;
  log::info("{}: rolling restart, {} of {}", node().spec().id, at_ + 1, nodes_.size());
  node().replace(kNodeEndMs);
  look_soon();
}

void RollingRestart::on_change() {
  if (step_ != Step::replacing && step_ != Step::returning) return;
  if (node().state() == State::held) return finish(node().spec().id + " does not start");
  if (step_ == Step::replacing && node().state() == State::ready && node().view().restarts != restarts_)
    step_ = Step::returning;
  if (look_.armed()) look_.after(0);
}

// A proxy that was started anew meanwhile knows of no draining; so much the better.
void RollingRestart::on_returning() {
  late_ = node().spec().id + ": the proxy does not see it up";
  const auto found = pool_.find(node().spec().id);
  if (ours_.contains(&node()) && found != pool_.end() && found->second.wanted != "serving")
    return give_back({&node()});
  if (!up(node())) return keep_served();
  ours_.erase(&node());
  ++at_;
  next();
}

// Should nobody be left for those who come, the one that is spared has to serve them; until somebody does.
void RollingRestart::keep_served() {
  if (std::ranges::any_of(nodes_, [this](const Child* each) { return serves(*each); })) return spare_again();
  std::vector<Child*> back;
  for (Child* each : ours_) {
    const auto found = pool_.find(each->spec().id);
    const bool away = found != pool_.end() && found->second.wanted != "serving";
    const bool free = each != &node() || step_ == Step::waiting;
    if (away && free && each->state() == State::ready) back.push_back(each);
  }
  give_back(back);
}

void RollingRestart::spare_again() {
  Child* const next = step_ == Step::waiting ? nullptr : to_spare();
  if (next == nullptr || !serves(*next)) return look_soon();
  spared_ = next;
  ours_.insert(next);
  admin_.drain(next->spec().id, [this](bool) {
    if (step_ != Step::over) look_soon();
  });
}

// They are ours until the proxy has heard it: what it says before that is not an operator's wish.
void RollingRestart::give_back(std::vector<Child*> back) {
  if (std::ranges::find(back, spared_) != back.end()) spared_ = nullptr;
  std::erase(back, nullptr);
  if (back.empty()) return look_soon();
  auto left = std::make_shared<std::size_t>(back.size());
  for (Child* each : back) {
    admin_.ready(each->spec().id, [this, left, each](bool heard) {
      if (heard) ours_.erase(each);
      if (--*left == 0 && step_ != Step::over) look_soon();
    });
  }
}

void RollingRestart::finish(const std::string& wrong) {
  if (step_ == Step::over) return;
  step_ = Step::over;
  look_.cancel();
  wrong.empty() ? done_(wrong) : return_ours(wrong);
}

// Whoever gets no sessions because of us gets them again: who is ready now, others once they are.
void RollingRestart::return_ours(const std::string& wrong) {
  std::vector<Child*> now;
  for (Child* each : nodes_) {
    if (!ours_.contains(each)) continue;
    each->state() == State::ready ? now.push_back(each) : fleet_.give_back(*each);
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
