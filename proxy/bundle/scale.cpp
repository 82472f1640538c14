// Another number of nodes. Up: started, then named to the proxy. Down: drained, ended, then taken from it.
#include <algorithm>

#include "proxy/bundle/operation.h"
#include "proxy/log/log.h"

namespace limpet::bundle {
namespace {

constexpr std::uint64_t kLookMs = 100;
constexpr std::uint64_t kStartMs = 60'000;  // for all new ones together
constexpr std::uint64_t kJoinMs = 15'000;   // for the proxy to see them

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
  std::uint32_t of() const override { return static_cast<std::uint32_t>(changed_.size()); }

 private:
  enum class Step : unsigned char { starting, joining, draining, ending, over };

  void add(std::size_t count);
  void take_away(std::size_t count);
  void end_drained();
  void all_started();
  void all_ended();
  void give_up(const std::string& wrong);
  void look();
  void on_pool(const PoolState& pool);
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
  std::size_t drained_ = 0;  // answers
  std::uint32_t through_ = 0;
  std::string wrong_;  // why new ones are taken away again
  Step step_ = Step::starting;
  std::uint64_t step_ends_ms_ = 0;
};

void Scale::start() {
  const std::size_t there = fleet_.nodes().size();
  log::info("scale: {} nodes, from {}", wanted_, there);
  if (wanted_ == there) return finish(fleet_.tell_proxy());
  wanted_ > there ? add(wanted_ - there) : take_away(there - wanted_);
}

// --- more ---

void Scale::add(std::size_t count) {
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
  if (step_ == Step::starting) {
    through_ = static_cast<std::uint32_t>(std::ranges::count(changed_, State::ready, &Child::state));
    const auto held = std::ranges::find(changed_, State::held, &Child::state);
    if (held != changed_.end()) return give_up((*held)->spec().id + " does not start");
    if (all(State::ready)) all_started();
  } else if (step_ == Step::ending) {
    through_ = static_cast<std::uint32_t>(std::ranges::count(changed_, State::stopped, &Child::state));
    if (all(State::stopped)) all_ended();
  }
}

void Scale::all_started() {
  step_ = Step::joining;
  step_ends_ms_ = net::now_ms() + kJoinMs;
  if (const std::string wrong = fleet_.tell_proxy(); !wrong.empty()) return give_up(wrong);
  look_.after(kLookMs);
}

void Scale::look() {
  const bool late = net::now_ms() >= step_ends_ms_;
  if (step_ == Step::starting) return late ? give_up("they are not ready in time") : look_.after(kLookMs);
  if (step_ != Step::joining) return;
  if (late) return give_up("the proxy does not see all of them up");
  admin_.look([this](const PoolState& pool) { on_pool(pool); });
}

void Scale::on_pool(const PoolState& pool) {
  bool there = true;
  for (const Child* each : changed_) {
    const auto found = pool.find(each->spec().id);
    const bool known = found != pool.end();
    there = there && known && found->second.state == "up" && found->second.wanted == "serving";
    // One that went and came back before the proxy took notice is as it was left.
    if (known && found->second.wanted == "draining") admin_.ready(each->spec().id, [](bool) {});
  }
  there ? finish({}) : look_.after(kLookMs);
}

void Scale::give_up(const std::string& wrong) {
  wrong_ = wrong;
  look_.cancel();
  if (changed_.empty()) return finish(wrong_);
  end_drained();
}

// --- fewer ---

void Scale::take_away(std::size_t count) {
  const std::vector<Child*> nodes = fleet_.nodes();
  changed_.assign(nodes.end() - static_cast<std::ptrdiff_t>(count), nodes.end());
  step_ = Step::draining;
  // All at once: nobody is sent to one that is to go, too.
  for (const Child* each : changed_) {
    admin_.drain(each->spec().id, [this](bool) {
      if (++drained_ == changed_.size()) end_drained();
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
  const std::string wrong = fleet_.tell_proxy();
  finish(wrong_.empty() ? wrong : wrong_);
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
