// Presence's part that says: this process lives; and at its end: it has gone.
#include <utility>

#include "backend/names/random_text.h"
#include "backend/presence/presence_impl.h"

namespace limpet::presence {
namespace {

// A node of a cluster that is taken for dead may have something dropped after it has written it again:
// whoever clears up looks at the heartbeat first, but not in the same step. By then, that has ended.
constexpr int kBeatsToSecondRepair = 3;

// A fifth less at the most, so that the nodes of a cluster do not beat as one.
std::uint64_t with_jitter(std::uint64_t ms) {
  unsigned char random[1];
  names::fill_random(random);
  return ms - ms * random[0] / 1'280;
}

}  // namespace

void Presence::Impl::on_beat() {
  beats.after(with_jitter(settings.beat_ms));
  if (!up || leaving) return;
  beat();
  roll.again.splice(roll.again.end(), roll.failed);
  if (beats_to_second_repair > 0 && --beats_to_second_repair == 0) write_all_again();
  if (compare_due && !scan) compare();
  if (net::now_ms() - up_since_ms >= settings.expiry_ms) sweeper.look();
  count();
  soon();
}

void Presence::Impl::beat() {
  const std::string alive = names.alive(own.name);
  redis.command({"SADD", names.nodes(), own.name}, {}, names.nodes());
  redis.command(
      {"PEXPIRE", alive, std::to_string(settings.expiry_ms)},
      [held = std::weak_ptr(self)](const redis::Result& result) {
        const auto me = held.lock();
        if (!me || !result.ok() || result.reply.integer() != 0 || (*me)->leaving) return;
        (*me)->live();
        (*me)->write_all_again();
      },
      alive);
}

// Before anything is written: from here on nobody clears up after us.
void Presence::Impl::live() {
  const std::string alive = names.alive(own.name);
  redis.command({"SET", alive, own.server, "PX", std::to_string(settings.expiry_ms)}, {}, alive);
  redis.command({"SADD", names.nodes(), own.name}, {}, names.nodes());
  if (redis.settings().kind == redis::Kind::cluster) beats_to_second_repair = kBeatsToSecondRepair;
}

// Whether Redis has as many of ours as we have, once nothing is on its way.
void Presence::Impl::count() {
  const auto idle = [this] {
    return owed == 0 && dropping.empty() && !scan && roll.fresh.empty() && roll.again.empty() &&
           roll.failed.empty();
  };
  if (!idle()) return;
  const std::string mine = names.sockets_of_life(own.name);
  redis.command(
      {"HLEN", mine},
      [held = std::weak_ptr(self), idle, before = changes](const redis::Result& result) {
        const auto me = held.lock();
        if (!me || !result.ok() || (*me)->leaving || (*me)->changes != before || !idle()) return;
        const auto there = result.reply.integer();
        if (there && *there != static_cast<std::int64_t>((*me)->roll.size())) (*me)->write_all_again();
      },
      mine);
}

void Presence::Impl::leave(std::function<void()> then) {
  if (leaving) return;
  on_left = std::move(then);
  roll.clear([this](const Entry& entry) { take_out(entry); });
  leaving = true;
  compare_due = compare_due || scan;  // from here on nothing compares: it says that something is left behind
  if (scan) scan->give_up();
  scan.reset();
  sweeper.give_up();
  if (up && owed == 0 && dropping.empty()) return say_goodbye();
  up ? soon() : leave_if_idle();
}

void Presence::Impl::leave_if_idle() {
  if (!leaving || saying_goodbye) return;
  if (!up) return gone();
  if (owed == 0 && dropping.empty()) say_goodbye();
}

// If something could not be taken out the others are left to do it, without a heartbeat to wait for.
void Presence::Impl::say_goodbye() {
  saying_goodbye = true;
  const std::string alive = names.alive(own.name), mine = names.sockets_of_life(own.name);
  const auto last = [held = std::weak_ptr(self)](const redis::Result&) {
    if (const auto me = held.lock()) (*me)->gone();
  };
  if (compare_due) return redis.command({"DEL", alive}, last, alive);
  redis.command({"DEL", mine}, {}, mine);
  redis.command({"DEL", alive}, {}, alive);
  redis.command({"SREM", names.nodes(), own.name}, last, names.nodes());
}

void Presence::Impl::gone() {
  beats.cancel();
  if (const auto then = std::exchange(on_left, {})) then();
}

}  // namespace limpet::presence
