#include "backend/presence/sweeper.h"

#include <algorithm>
#include <utility>

namespace limpet::presence {
namespace {

constexpr std::string_view kMostLives = "1000";  // looked at in one go, by chance
// After so long without a look another node may clear up instead.
constexpr std::string_view kTurnMs = "10000";

constexpr std::string_view kForget = R"lua(
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
return redis.call('DEL', KEYS[2], KEYS[3]) + 1
)lua";

}  // namespace

Sweeper::Sweeper(redis::Redis& redis, Store& store, const Names& names, const Life& own)
    : redis_(redis), store_(store), names_(names), own_(own), forget_(kForget) {}

Sweeper::~Sweeper() {
  give_up();
}

void Sweeper::give_up() {
  now_ = std::make_shared<char>();
  ended_.clear();
  busy_ = false;
  if (scan_) scan_->give_up();
  scan_.reset();
}

void Sweeper::look() {
  if (busy_) return keep_turn();
  ended_.clear();
  redis_.command(
      {"SRANDMEMBER", names_.nodes(), kMostLives},
      [this, now = std::weak_ptr(now_)](const redis::Result& result) {
        if (!now.expired()) on_lives(result);
      },
      names_.nodes());
}

void Sweeper::on_lives(const redis::Result& result) {
  if (!result.ok()) return;
  for (std::size_t i = 0; i < result.reply.size(); ++i) {
    const std::string life(result.reply[i].text());
    if (life == own_.name || life.empty()) continue;
    const std::string alive = names_.alive(life);
    redis_.command(
        {"EXISTS", alive},
        [this, now = std::weak_ptr(now_), life](const redis::Result& it) {
          if (!now.expired()) on_heartbeat(life, it);
        },
        alive);
  }
}

void Sweeper::on_heartbeat(const std::string& life, const redis::Result& result) {
  if (!result.ok() || result.reply.integer() != 0) return;
  if (std::ranges::find(ended_, life) == ended_.end()) ended_.push_back(life);
  next();
}

void Sweeper::next() {
  if (busy_ || ended_.empty()) return;
  busy_ = true;
  const std::string life = ended_.front(), claim = names_.sweeper(life);
  redis_.command(
      {"SET", claim, own_.name, "NX", "PX", kTurnMs},
      [this, now = std::weak_ptr(now_), life](const redis::Result& result) {
        if (now.expired()) return;
        if (result.ok() && !result.reply.is_nil()) return clear(life);
        on_cleared(life, Outcome::failed, 0);
      },
      claim);
}

// The largest nodes take longer than one turn.
void Sweeper::keep_turn() {
  if (!scan_) return;  // it is not ours yet
  const std::string claim = names_.sweeper(ended_.front());
  redis_.command({"PEXPIRE", claim, kTurnMs}, {}, claim);
}

void Sweeper::clear(const std::string& life) {
  Scan::Work work{redis_, store_, names_, Life::named(life), {}};
  scan_ = Scan::start(std::move(work), [this, life](Outcome outcome, std::size_t dropped) {
    on_cleared(life, outcome, dropped);
  });
  if (scan_->over()) scan_.reset();
}

// What was not finished is found again at the next look.
void Sweeper::on_cleared(const std::string& life, Outcome outcome, std::size_t dropped) {
  sockets_ += dropped;
  if (outcome == Outcome::done) forget(life);
  scan_.reset();
  ended_.pop_front();
  busy_ = false;
  next();
}

void Sweeper::forget(const std::string& life) {
  const std::string alive = names_.alive(life), sockets = names_.sockets_of_life(life);
  forget_.run(redis_, {alive, sockets, names_.sweeper(life)}, {},
              [this, now = std::weak_ptr(now_), life](const redis::Result& result) {
                if (now.expired() || !result.ok() || result.reply.integer() == 0) return;
                ++lives_;
                redis_.command({"SREM", names_.nodes(), life}, {}, names_.nodes());
              });
}

}  // namespace limpet::presence
