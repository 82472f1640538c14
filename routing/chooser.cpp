#include "routing/chooser.h"

#include <algorithm>
#include <cmath>

#include "routing/xxh3.h"

namespace limpet::routing {
namespace {

constexpr std::size_t kMostCookies = 8;   // a head may hold hundreds; the first valid one counts
constexpr std::size_t kLongestName = 64;  // of an id, of a sid
constexpr std::size_t kSidLength = 20;    // of a self-naming sid
constexpr std::size_t kTagLength = 8;
constexpr std::uint32_t kLeastBound = 64;

Choice refuse(Refusal refusal) {
  Choice choice;
  choice.refusal = refusal;
  return choice;
}

bool tried(const Ask& ask, const Member& member) {
  return std::find(ask.not_these.begin(), ask.not_these.end(), member.server.get()) != ask.not_these.end();
}

bool full(const Member& member, std::uint32_t load) {
  return member.max_connections != 0 && load >= member.max_connections;
}

const Member* named_by_tag(const Pool& pool, std::string_view sid) {
  return sid.size() == kSidLength ? pool.by_tag(sid.substr(kSidLength - kTagLength)) : nullptr;
}

std::span<const std::string_view> looked_at(const Ask& ask) {
  return ask.cookies.first(std::min(ask.cookies.size(), kMostCookies));
}

// For a request whose sid has decided: does it have the cookie, or shall it be set?
bool cookie_names(const Pool& pool, const Ask& ask, const Member& member) {
  const auto values = looked_at(ask);
  return pool.holds(Affinity::cookie) &&
         std::find(values.begin(), values.end(), member.server->id) != values.end();
}

bool bounds(const Pool& pool, const Ask& ask) {
  return ask.kind == Kind::begins && pool.bounds_load();
}

// A polling session that only hashing holds would be torn apart by a pass-over that ends seconds later.
bool starts_slowly(const Pool& pool) {
  return pool.holds(Affinity::sid) || pool.holds(Affinity::cookie);
}

// Leaves, and could take what nobody else can. A reload sets `wanted` before every worker has the new
// members: whichever of the two says that it leaves is heard.
bool stands_in(const Member& member) {
  const Wanted wanted = member.server->wanted();
  const bool leaves = wanted == Wanted::leaving || (wanted == Wanted::serving && member.leaving_weight != 0);
  return leaves && member.whole_weight() != 0 && member.server->state() == State::up;
}

double bound_of(const Pool& pool, std::uint64_t pool_load, double weight, double weights) {
  const double share = weights > 0 ? weight / weights : 1.0;
  const double fair = *pool.settings().bounded_load * static_cast<double>(pool_load + 1) * share;
  return std::max<double>(kLeastBound, std::ceil(fair));
}

// True for the part of all keys that a server in slow start does not take yet. A key that was let in stays
// in, because the factor only grows.
bool passed_over_by_slow_start(double factor, std::uint64_t drawn) {
  // Drawn again: a server that stands first in an order has a high draw.
  return factor < 1.0 && as_fraction(draw(drawn, 0x736c6f77)) >= factor;
}

}  // namespace

std::string_view name_of(By by) {
  switch (by) {
    case By::none: return "none";
    case By::sid: return "sid";
    case By::learned: return "learned";
    case By::cookie: return "cookie";
    case By::source: return "source";
    case By::balance: return "balance";
    case By::moved: return "moved";
  }
  return "none";
}

Chooser::Chooser(SidTable& sids, std::uint64_t random_seed) : sids_(sids), random_{random_seed} {}

void Chooser::forget_pools() {
  turns_.clear();
  surveys_.clear();
  rosters_.clear();
}

Choice Chooser::choose(const Pool& pool, const Ask& ask) {
  if (ask.kind == Kind::belongs) return choose_belonging(pool, ask);
  // A second try has its place in the pool already.
  const std::uint32_t most = ask.not_these.empty() ? pool.settings().max_connections : 0;
  if (most != 0 && pool.load() >= most) return refuse(Refusal::full);

  const Member* named = nullptr;
  if (pool.holds(Affinity::cookie)) {
    for (const std::string_view cookie : looked_at(ask)) {
      if ((named = named_by(pool, cookie, ask.now_ms))) break;
    }
  }
  // Who leaves does not come back: nothing is lost, there is a new place for good.
  if (!named || named->server->wanted() == Wanted::leaving) return place(pool, ask);
  if (may_be_held(pool, ask, *named)) return {named, By::cookie, Refusal::none, true, 0};
  if (pool.settings().strict) return refuse(Refusal::lost);
  Choice choice = place(pool, ask);
  if (!choice.member) return choice;
  choice.cookie_valid = choice.member == named;  // nobody else was left to take it
  choice.by = choice.cookie_valid ? By::cookie : By::moved;
  return choice;
}

// --- a session that exists: where is it? Load plays no part. ---

Choice Chooser::choose_belonging(const Pool& pool, const Ask& ask) {
  if (pool.holds(Affinity::sid)) {
    By by = By::sid;
    std::uint32_t life_ms = 0;
    const Member* holder = named_by_tag(pool, ask.sid);
    if (!holder) {
      if (const auto found = sids_.touch(ask.sid, ask.now_ms)) {
        by = By::learned;
        life_ms = found->life_ms;
        holder = pool.by_serial(found->server_serial);
        if (!holder) return refuse(Refusal::sid_gone);
      }
    }
    if (holder && !holder->server->serves_old()) return refuse(Refusal::sid_gone);
    if (holder) return {holder, by, Refusal::none, cookie_names(pool, ask, *holder), life_ms};
  }
  bool named_one = false;
  if (pool.holds(Affinity::cookie)) {
    for (const std::string_view cookie : looked_at(ask)) {
      const Member* named = named_by(pool, cookie, ask.now_ms);
      if (named && named->server->serves_old()) return {named, By::cookie, Refusal::none, true, 0};
      named_one |= named != nullptr;
    }
  }
  Choice choice = choose_by_hash(pool, ask);
  if (choice.member && named_one) choice.by = By::moved;
  return choice;
}

// Nobody here knows this sid. The pure order is the only guess that every proxy makes alike; without an
// address the sid itself is hashed, so that the requests of one session at least meet at one server.
Choice Chooser::choose_by_hash(const Pool& pool, const Ask& ask) const {
  const std::uint64_t seed = pool.settings().seed;
  const bool by_source = pool.places_by_source() && ask.client.known();
  const std::uint64_t key =
      by_source ? ask.client.hash(seed) : XXH3_64bits_withSeed(ask.sid.data(), ask.sid.size(), seed);
  // One that is new and has not answered its first probe may be nobody at all.
  for (const bool met : {true, false}) {
    const auto serves = [met](const Member& each, std::uint64_t) {
      return each.server->serves_old() && each.server->met() == met;
    };
    for (const bool backup : {false, true}) {
      const Member* member = first_that(pool, backup, key, Takes(serves));
      if (member) return {member, by_source ? By::source : By::balance, Refusal::none, false};
    }
  }
  return refuse(Refusal::all_down);
}

// --- cookies ---

const Member* Chooser::named_by(const Pool& pool, std::string_view cookie, std::uint64_t now_ms) const {
  if (cookie.empty() || cookie.size() > kLongestName) return nullptr;
  if (const Member* member = pool.by_id(cookie)) return member;
  if (!pool.settings().cookie_may_be_sid) return nullptr;
  if (const Member* member = named_by_tag(pool, cookie)) return member;
  const auto found = sids_.touch(cookie, now_ms);
  return found ? pool.by_serial(found->server_serial) : nullptr;
}

// May the server that a cookie names take this new session or plain request? Twice the bound: anybody can
// write a cookie, so a cookie alone must not drown a server.
bool Chooser::may_be_held(const Pool& pool, const Ask& ask, const Member& named) {
  const std::uint32_t load = named.server->in_use();
  if (tried(ask, named) || full(named, load)) return false;
  if (!named.server->takes_new()) {
    if (named.server->state() != State::suspect || named.server->wanted() != Wanted::serving) return false;
    for (const Member& other : pool.members()) {  // a suspect one only if no other is up
      const bool up = in_round(other, Round::up) || in_round(other, Round::backup_up);
      if (up && !tried(ask, other) && !full(other, other.server->in_use())) return false;
    }
  }
  if (!bounds(pool, ask) || load < 2 * kLeastBound) return true;
  const Sums& sums = surveys_.of(pool, ask.now_ms);
  const double present = present_weight(pool, named, ask.now_ms);
  return load < 2 * bound_of(pool, sums.load, present, sums.weights[named.backup ? 1 : 0]);
}

// --- no affinity yet: a place is found ---

bool Chooser::in_round(const Member& member, Round round) {
  const bool backup =
      round == Round::backup_up || round == Round::backup_suspect || round == Round::backup_leaving;
  if (member.backup != backup) return false;
  if (round == Round::leaving || round == Round::backup_leaving) return stands_in(member);
  const bool suspect = round == Round::suspect || round == Round::backup_suspect;
  return member.weight != 0 && member.server->wanted() == Wanted::serving &&
         member.server->state() == (suspect ? State::suspect : State::up);
}

Choice Chooser::place(const Pool& pool, const Ask& ask) {
  const bool by_hash = pool.places_by_source() && ask.client.known();
  const std::uint64_t key = by_hash ? ask.client.hash(pool.settings().seed) : 0;
  if (by_hash) {
    if (const Member* member = first_by_source(pool, ask, key))
      return {member, By::source, Refusal::none, false};
  } else if (const Member* member = next_of_large(pool, ask)) {
    return {member, By::balance, Refusal::none, false};
  }
  met_full_ = false;
  for (const Round round : {Round::up, Round::backup_up, Round::suspect, Round::backup_suspect,
                            Round::leaving, Round::backup_leaving}) {
    if (round == Round::suspect && met_full_) break;  // those that are up are full, not away
    gather(pool, ask, round);
    if (candidates_.empty()) continue;
    if (by_hash) return {by_source(pool, ask, key), By::source, Refusal::none, false};
    return {by_balance(pool), By::balance, Refusal::none, false};
  }
  return refuse(met_full_ ? Refusal::full : Refusal::all_down);
}

void Chooser::gather(const Pool& pool, const Ask& ask, Round round) {
  candidates_.clear();
  weights_ = 0;
  met_slow_ = false;
  const auto& members = pool.members();
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i];
    if (!in_round(member, round)) continue;
    const double factor = slow_start_factor(*member.server, pool.settings().slow_start_ms, ask.now_ms);
    const double weight = member.whole_weight() * factor;
    weights_ += weight;
    if (tried(ask, member)) continue;
    const std::uint32_t load = member.server->in_use();
    if (full(member, load)) {
      met_full_ = true;
      continue;
    }
    met_slow_ |= member.server->is_slow();
    candidates_.push_back({i, load, weight, factor});
  }
  // The second server is the last one: not one on which handshakes wait already, if there is another.
  if (ask.not_these.empty() || !met_slow_) return;
  const auto slow = [&members](const Candidate& each) { return members[each.index].server->is_slow(); };
  if (!std::all_of(candidates_.begin(), candidates_.end(), slow)) std::erase_if(candidates_, slow);
}

// The first in order that is fully up and under its bound: nearly always there is one. Slow ones need no
// thought on a second try: if the server that is found is not slow, those that are stand back for it.
const Member* Chooser::first_by_source(const Pool& pool, const Ask& ask, std::uint64_t key) {
  const auto takes = [&](const Member& member, std::uint64_t drawn) {
    return willing(pool, ask, member, drawn);
  };
  return first_that(pool, false, key, Takes(takes));
}

bool Chooser::willing(const Pool& pool, const Ask& ask, const Member& member, std::uint64_t drawn) {
  if (!in_round(member, Round::up) || tried(ask, member)) return false;
  if (!ask.not_these.empty() && member.server->is_slow()) return false;
  const std::uint32_t load = member.server->in_use();
  if (full(member, load)) return false;
  const double factor = slow_start_factor(*member.server, pool.settings().slow_start_ms, ask.now_ms);
  if (starts_slowly(pool) && passed_over_by_slow_start(factor, drawn)) return false;
  if (load <= kLeastBound || !bounds(pool, ask))
    return true;  // below the least bound nothing is over its own
  const Sums& sums = surveys_.of(pool, ask.now_ms);
  return load <= bound_of(pool, sums.load, member.weight * factor, sums.weights[0]);
}

// The first in order of those that are fully up and under their bound; else of those under their bound (its
// share of a server that starts slowly is small); else of all that are not full.
const Member* Chooser::by_source(const Pool& pool, const Ask& ask, std::uint64_t key) const {
  FirstInOrder willing(pool, key);
  FirstInOrder under_bound(pool, key);
  FirstInOrder any(pool, key);
  const bool bounded = bounds(pool, ask);
  const bool slowly = starts_slowly(pool);
  const std::uint64_t pool_load = bounded ? pool.load() : 0;
  for (const Candidate& each : candidates_) {
    const Member& member = pool.members()[each.index];
    const Pool::Seat seat{member.server->id_hash, static_cast<double>(member.whole_weight()), each.index};
    const std::uint64_t drawn = draw(key, seat.id_hash);
    any.offer(seat, drawn);
    if (bounded && each.load > bound_of(pool, pool_load, each.weight, weights_)) continue;
    under_bound.offer(seat, drawn);
    if (!slowly || !passed_over_by_slow_start(each.slow_start, drawn)) willing.offer(seat, drawn);
  }
  if (willing.member()) return willing.member();
  return under_bound.member() ? under_bound.member() : any.member();
}

// Without a look at all of them; null in a small pool, on a second try, and where nobody is found so.
const Member* Chooser::next_of_large(const Pool& pool, const Ask& ask) {
  if (pool.members().size() < kLargePool || !ask.not_these.empty()) return nullptr;
  if (pool.settings().balance == Balance::random_two) return random_two(pool, ask.now_ms, random_);
  return rosters_.next(pool, ask.now_ms, random_);
}

const Member* Chooser::by_balance(const Pool& pool) {
  std::size_t at = 0;
  switch (pool.settings().balance) {
    case Balance::source:  // of a client without an address
    case Balance::least_connections: at = least_connections(candidates_, random_); break;
    case Balance::round_robin:
      at = turns_.next(pool.serial(), pool.members().size(), candidates_, random_);
      break;
    case Balance::random_two: at = random_two(candidates_, random_); break;
  }
  return &pool.members()[candidates_[at].index];
}

}  // namespace limpet::routing
