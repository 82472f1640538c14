// Another number of nodes. Up: started, then named to the proxy. Down: drained, ended, then taken from it,
// where the proxy says that one of those who stay serves. It is done when the proxy says so.
#include <algorithm>
#include <set>

#include "proxy/bundle/operation.h"
#include "proxy/log/log.h"

namespace limpet::bundle {
namespace {

constexpr std::uint64_t kLookMs = 100;
constexpr std::uint64_t kStartMs = 60'000;  // for all new ones together
constexpr std::uint64_t kJoinMs = 15'000;   // for the proxy to see them
constexpr std::uint64_t kPartMs = 15'000;   // for the proxy to take them from its pool

constexpr const char* kSilent = "the proxy does not answer";

// "n2", "n2 and n3", "n2, n3 and n4".
std::string enumerated(const std::set<std::string>& ids) {
  std::string out;
  std::size_t left = ids.size();
  for (const std::string& each : ids) {
    out += each;
    if (--left > 0) out += left == 1 ? " and " : ", ";
  }
  return out;
}

class Scale final : public Operation {
 public:
  Scale(Fleet& fleet, std::uint32_t wanted, Done done)
      : fleet_(fleet),
        wanted_(wanted),
        done_(std::move(done)),
        admin_(fleet.loop(), fleet.proxy_admin()),
        look_(fleet.loop(), net::delegate<&Scale::look>(this)) {}

  void start() override;
  void on_change() override;
  std::string_view name() const override { return "scale"; }
  std::uint32_t done() const override { return through_; }
  std::uint32_t of() const override { return of_; }

 private:
  enum class Step : unsigned char { asking, starting, joining, draining, ending, parting, over };

  void add(std::size_t count);
  void take_away();
  void on_stay(const PoolState& pool);
  void drain(const std::vector<Child*>& those);
  void on_drained();
  void keep_all(const std::string& wrong);
  std::string why_none_stays(const PoolState& pool) const;
  void end_drained();
  void all_started();
  void all_ended();
  void part();
  void give_up(const std::string& wrong);
  void look();
  void on_pool(const PoolState& pool);
  void on_joining(const PoolState& pool);
  void on_parting(const PoolState& pool);
  void finish(const std::string& wrong);
  bool all(State state) const {
    return std::ranges::all_of(changed_, [state](const Child* each) { return each->state() == state; });
  }

  Fleet& fleet_;
  const std::uint32_t wanted_;
  const Done done_;
  PoolAdmin admin_;
  net::Timer look_;
  std::vector<Child*> changed_;
  std::vector<Child*> drained_;  // by us
  std::size_t asked_ = 0;        // answers to come
  bool silent_ = false;          // one of them was none
  std::uint32_t through_ = 0, of_ = 0;
  std::string wrong_;  // why new ones are taken away again
  std::string apart_;  // what the proxy was last seen to have otherwise
  Step step_ = Step::asking;
  std::uint64_t step_ends_ms_ = 0;
};

void Scale::start() {
  const std::size_t there = fleet_.nodes().size();
  log::info("scale: {} nodes, from {}", wanted_, there);
  of_ = static_cast<std::uint32_t>(wanted_ > there ? wanted_ - there : there - wanted_);
  if (wanted_ == there) return part();
  wanted_ > there ? add(wanted_ - there) : take_away();
}

// --- more ---

void Scale::add(std::size_t count) {
  step_ = Step::starting;
  step_ends_ms_ = net::now_ms() + kStartMs;
  for (std::size_t i = 0; i < count; ++i) {
    Child* const node = fleet_.add_node();
    if (node == nullptr) return give_up("there is no port for another node");
    changed_.push_back(node);
    node->start();
  }
  look_.after(kLookMs);
}

void Scale::on_change() {
  if (step_ == Step::starting || step_ == Step::joining) {
    through_ = static_cast<std::uint32_t>(std::ranges::count(changed_, State::ready, &Child::state));
    const auto held = std::ranges::find(changed_, State::held, &Child::state);
    if (held != changed_.end())
      return give_up((*held)->spec().id +
                     (step_ == Step::starting ? " does not start" : " does not stay up"));
    if (step_ == Step::starting && all(State::ready)) all_started();
  } else if (step_ == Step::ending) {
    through_ = static_cast<std::uint32_t>(std::ranges::count(changed_, State::stopped, &Child::state));
    if (all(State::stopped)) all_ended();
  }
}

void Scale::all_started() {
  step_ = Step::joining;
  step_ends_ms_ = net::now_ms() + kJoinMs;
  apart_ = kSilent;
  if (const std::string wrong = fleet_.tell_proxy(); !wrong.empty()) return give_up(wrong);
  look_.after(kLookMs);
}

void Scale::look() {
  const bool late = net::now_ms() >= step_ends_ms_;
  if (step_ == Step::starting) return late ? give_up("they are not ready in time") : look_.after(kLookMs);
  if (late && step_ == Step::joining) return give_up(apart_);
  if (late && step_ == Step::parting) return finish(wrong_.empty() ? apart_ : wrong_ + "; " + apart_);
  admin_.look([this](const PoolState& pool) { on_pool(pool); });
}

// The step may be another one by now.
void Scale::on_pool(const PoolState& pool) {
  if (step_ == Step::asking || step_ == Step::draining) return on_stay(pool);
  if (step_ == Step::joining) return on_joining(pool);
  if (step_ == Step::parting) return on_parting(pool);
}

void Scale::on_joining(const PoolState& pool) {
  std::set<std::string> missing;
  for (const Child* each : changed_) {
    const std::string& id = each->spec().id;
    const auto found = pool.find(id);
    const bool known = found != pool.end();
    if (!known || found->second.state != "up" || found->second.wanted != "serving") missing.insert(id);
    // One that went and came back before the proxy took notice is as it was left.
    if (known && found->second.wanted == "draining") admin_.ready(id, [](bool) {});
  }
  if (missing.empty()) return finish({});
  apart_ = pool.empty() ? kSilent : "the proxy does not see " + enumerated(missing) + " up";
  look_.after(kLookMs);
}

// Of those that have joined, some may have sessions.
void Scale::give_up(const std::string& wrong) {
  wrong_ = wrong;
  look_.cancel();
  if (changed_.empty()) return finish(wrong_);
  step_ == Step::joining ? drain(changed_) : end_drained();
}

// --- fewer ---

void Scale::take_away() {
  const std::vector<Child*> nodes = fleet_.nodes();
  changed_.assign(nodes.begin() + wanted_, nodes.end());
  admin_.look([this](const PoolState& pool) { on_pool(pool); });
}

// Who takes those who come then is what the proxy says, and of a process that has ended we may know before.
std::string Scale::why_none_stays(const PoolState& pool) const {
  if (pool.empty()) return kSilent;
  const std::vector<Child*> nodes = fleet_.nodes();
  std::set<std::string> down, drained;
  for (std::size_t i = 0; i < wanted_; ++i) {
    const auto found = pool.find(nodes[i]->spec().id);
    const bool up = found != pool.end() && found->second.state == "up" && nodes[i]->state() == State::ready;
    if (up && found->second.wanted == "serving") return {};
    (up ? drained : down).insert(nodes[i]->spec().id);
  }
  const auto are = [](const std::set<std::string>& ids, const std::string& what) {
    return ids.empty() ? "" : enumerated(ids) + (ids.size() == 1 ? " is " : " are ") + what;
  };
  const std::string both = down.empty() || drained.empty() ? "" : ", ";
  return are(down, "not up") + both + are(drained, "drained") + ": nobody who stays would serve";
}

// Before anything changes, and again before anything is ended.
void Scale::on_stay(const PoolState& pool) {
  if (const std::string wrong = why_none_stays(pool); !wrong.empty()) return keep_all(wrong);
  if (step_ == Step::draining) return end_drained();
  std::vector<Child*> serving;  // those that an operator has drained are so if they are to stay after all
  for (Child* each : changed_) {
    const auto found = pool.find(each->spec().id);
    if (fleet_.owes(*each) || (found != pool.end() && found->second.wanted == "serving"))
      serving.push_back(each);
  }
  drain(serving);
}

// All at once: nobody is sent to one that is to go, too.
void Scale::drain(const std::vector<Child*>& those) {
  step_ = Step::draining;
  drained_ = those;
  asked_ = those.size();
  if (asked_ == 0) return on_drained();
  for (const Child* each : those) {
    admin_.drain(each->spec().id, [this](bool drained) {
      silent_ = silent_ || !drained;
      if (--asked_ == 0) on_drained();
    });
  }
}

// New ones that are given up go in any case.
void Scale::on_drained() {
  if (!wrong_.empty()) return end_drained();
  if (silent_) return keep_all(kSilent);
  admin_.look([this](const PoolState& pool) { on_pool(pool); });
}

void Scale::keep_all(const std::string& wrong) {
  wrong_ = wrong;
  asked_ = drained_.size();
  if (asked_ == 0) return finish(wrong_);
  for (Child* each : drained_) {
    admin_.ready(each->spec().id, [this, each](bool returned) {
      if (!returned) fleet_.give_back(*each);
      if (--asked_ == 0) finish(wrong_);
    });
  }
}

void Scale::end_drained() {
  step_ = Step::ending;
  for (Child* each : changed_) each->stop(kNodeEndMs);
  on_change();
}

void Scale::all_ended() {
  for (Child* each : changed_) fleet_.remove_node(*each);
  changed_.clear();
  part();
}

// Until the proxy has the nodes that there are, and no others.
void Scale::part() {
  step_ = Step::parting;
  step_ends_ms_ = net::now_ms() + kPartMs;
  apart_ = kSilent;
  if (const std::string wrong = fleet_.tell_proxy(); !wrong.empty())
    return finish(wrong_.empty() ? wrong : wrong_ + "; " + wrong);
  look_.after(kLookMs);
}

// One that leaves gets nobody any more and is named until it has no sessions.
void Scale::on_parting(const PoolState& pool) {
  std::set<std::string> missing, extra;
  for (const Child* each : fleet_.nodes()) missing.insert(each->spec().id);
  for (const auto& [id, server] : pool) {
    if (server.wanted != "leaving" && missing.erase(id) == 0) extra.insert(id);
  }
  if (missing.empty() && extra.empty()) return finish(wrong_);
  if (pool.empty()) {
    apart_ = kSilent;
  } else {
    apart_ = extra.empty() ? "the proxy does not list " + enumerated(missing)
                           : "the proxy still lists " + enumerated(extra);
  }
  look_.after(kLookMs);
}

void Scale::finish(const std::string& wrong) {
  if (std::exchange(step_, Step::over) == Step::over) return;
  look_.cancel();
  done_(wrong);
}

}  // namespace

std::unique_ptr<Operation> scale(Fleet& fleet, std::uint32_t nodes, Operation::Done done) {
  return std::make_unique<Scale>(fleet, nodes, std::move(done));
}

}  // namespace limpet::bundle
