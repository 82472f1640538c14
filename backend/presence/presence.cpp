#include <chrono>
#include <utility>

#include "backend/names/random_text.h"
#include "backend/presence/presence_impl.h"

namespace limpet::presence {
namespace {

// Answers that are waited for. What is written again leaves most of that to what happens now, and comes in
// steps, so that neither this loop nor Redis stands still for it: 12 800 sockets a second at the most.
constexpr std::size_t kMostOwed = 1'024;
constexpr std::size_t kMostOwedForRepair = 256;
constexpr std::size_t kStep = 128;
constexpr std::uint64_t kStepMs = 10;
// What has waited for longer to be written may have been overtaken on another node: its time says which is
// newer.
constexpr std::uint64_t kFreshMs = 2'000;
// To be taken out. More are found by comparing.
constexpr std::size_t kMostDropping = 100'000;

std::uint64_t wall_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

// A new one for each process, so that a server that starts again is not taken for the one that died.
Life new_life(const std::string& server) {
  char text[16];
  names::RandomText().write(text);
  return {server + "/" + std::string(text, sizeof text), server};
}

}  // namespace

Presence::Impl::Impl(net::Loop& l, redis::Redis& r, Settings s)
    : loop(l),
      redis(r),
      settings(std::move(s)),
      own(new_life(settings.server_id)),
      store(redis.settings().kind == redis::Kind::cluster ? cluster_store(redis, names, own)
                                                          : script_store(redis, names, own)),
      sweeper(redis, *store, names, own) {
  beats.after(settings.beat_ms);
}

Presence::Impl::~Impl() {
  if (scan) scan->give_up();
}

void Presence::Impl::connected(std::string_view user, std::string_view id) {
  if (leaving) return;
  ++changes;
  if (Entry* there = roll.find(id)) {
    ++there->uses;
    if (there->socket.user != user) take_out(*there);
    there->socket.user = user;
    there->socket.at = wall_ms();
    there->fresh = true;
    roll.move_to(roll.fresh, *there);
  } else {
    roll.move_to(roll.fresh, roll.add({std::string(user), std::string(id), wall_ms()}));
  }
  soon();
}

void Presence::Impl::disconnected(std::string_view id) {
  Entry* entry = roll.find(id);
  if (entry == nullptr || --entry->uses > 0) return;
  ++changes;
  take_out(*entry);
  roll.remove(id);
  soon();
}

// While Redis is away nothing is noted: once it is back, what it has is compared with what lives.
void Presence::Impl::take_out(const Entry& entry) {
  if (!entry.may_be_there) return;
  if (up && dropping.size() < kMostDropping) return dropping.push_back(entry.socket);
  compare_due = true;
}

void Presence::Impl::on_link(bool is_up) {
  if (std::exchange(up, is_up) == is_up) return;
  if (!up) {
    dropping.clear();
    compare_due = true;
    sweeper.give_up();
    if (scan) scan->give_up();
    scan.reset();
    return leave_if_idle();
  }
  if (leaving) return;
  up_since_ms = net::now_ms();
  beats.after(settings.beat_ms);
  live();
  write_all_again();
}

// First what goes, then what has come, then what is written again.
void Presence::Impl::on_work() {
  if (!up) return;
  while (owed < kMostOwed && !dropping.empty()) {
    const Socket socket = std::move(dropping.front());
    dropping.pop_front();
    drop(socket);
  }
  if (!dropping.empty()) return;
  while (owed < kMostOwed && !roll.fresh.empty()) write(roll.fresh.front());
  if (!roll.again.empty() && !pace.armed()) {
    for (std::size_t i = 0; i < kStep && owed < kMostOwedForRepair && !roll.again.empty(); ++i)
      write(roll.again.front());
    if (!roll.again.empty()) pace.after(kStepMs);
  }
  leave_if_idle();
}

void Presence::Impl::write(Entry& entry) {
  ++owed;
  roll.move_to(roll.written, entry);
  entry.may_be_there = true;
  const bool fresh = std::exchange(entry.fresh, false) && wall_ms() < entry.socket.at + kFreshMs;
  store->put(entry.socket, fresh,
             [held = std::weak_ptr(self), socket = entry.socket](Outcome outcome, std::uint64_t at) {
               if (const auto me = held.lock()) (*me)->on_written(socket, outcome, at);
             });
}

void Presence::Impl::on_written(const Socket& socket, Outcome outcome, std::uint64_t at) {
  --owed;
  soon();
  ++(outcome == Outcome::done ? totals.written : totals.failed);
  Entry* entry = roll.find(socket.id);
  if (entry == nullptr || entry->socket.at != socket.at) return;  // another by now
  if (outcome == Outcome::done)
    entry->socket.at = at;
  else if (!entry->fresh)
    roll.move_to(roll.failed, *entry);
}

void Presence::Impl::drop(const Socket& socket) {
  ++owed;
  store->drop(own, socket, [held = std::weak_ptr(self)](Outcome outcome) {
    const auto me = held.lock();
    if (!me) return;
    --(*me)->owed;
    if (outcome == Outcome::done) {
      ++(*me)->totals.dropped;
    } else {
      ++(*me)->totals.failed;
      (*me)->compare_due = true;
    }
    (*me)->soon();
  });
}

void Presence::Impl::write_all_again() {
  if (roll.size() != 0) ++totals.repairs;
  roll.write_all_again();
  compare();
  soon();
}

// What Redis has of us and we do not have any more.
void Presence::Impl::compare() {
  compare_due = false;
  if (scan) scan->give_up();
  Scan::Work work{redis, *store, names, own, [this](const Socket& socket) {
                    const Entry* entry = roll.find(socket.id);
                    return entry != nullptr && entry->socket.user == socket.user;
                  }};
  scan = Scan::start(std::move(work), [this](Outcome outcome, std::size_t dropped) {
    totals.dropped += dropped;
    compare_due = compare_due || outcome != Outcome::done;
    scan.reset();
    soon();
  });
  if (scan->over()) scan.reset();
}

Presence::Presence(net::Loop& loop, redis::Redis& redis, Settings settings)
    : impl_(std::make_unique<Impl>(loop, redis, std::move(settings))) {}
Presence::~Presence() = default;

void Presence::connected(std::string_view user, std::string_view socket) {
  impl_->connected(user, socket);
}
void Presence::disconnected(std::string_view socket) {
  impl_->disconnected(socket);
}
void Presence::on_link(bool up) {
  impl_->on_link(up);
}
void Presence::leave(std::function<void()> done) {
  impl_->leave(std::move(done));
}

Totals Presence::totals() const {
  Totals totals = impl_->totals;
  totals.sockets = impl_->roll.size();
  totals.waiting = impl_->roll.fresh.size() + impl_->roll.again.size() + impl_->roll.failed.size();
  totals.nodes_swept = impl_->sweeper.lives();
  totals.sockets_swept = impl_->sweeper.sockets();
  return totals;
}

}  // namespace limpet::presence
