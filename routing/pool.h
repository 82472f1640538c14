// Pool: servers with their weights, as one snapshot of the configuration sees them. Immutable but for what
// its Servers count.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "routing/server.h"

namespace limpet::routing {

enum class Affinity : std::uint8_t { sid, cookie, source };
enum class Balance : std::uint8_t { source, least_connections, round_robin, random_two };

struct Member {
  std::shared_ptr<Server> server;
  std::uint32_t weight = 1;
  std::uint32_t max_connections = 50'000;  // 0: no bound
  bool backup = false;
  // Of one that leaves: the weight that it had, for as long as nobody else takes new sessions; 0: it had
  // none.
  std::uint32_t leaving_weight = 0;
  std::uint32_t whole_weight() const { return std::max(weight, leaving_weight); }
};

// sid, cookie, source. (Not written as an initializer list in place: gcc 12 -O2 warns of it, wrongly.)
std::vector<Affinity> all_affinities();

struct PoolSettings {
  std::string name;
  std::uint64_t seed = 0;  // seed_of(hash_seed or name)
  std::vector<Affinity> affinity = all_affinities();
  Balance balance = Balance::source;
  std::optional<double> bounded_load = 1.25;
  bool strict = false;                // on_lost
  bool cookie_may_be_sid = false;     // passive mode: a node's own cookie may hold the session's sid
  std::uint32_t max_connections = 0;  // tunnels and requests in flight; 0: no bound
  std::uint64_t slow_start_ms = 10'000;
};

class Pool {
 public:
  Pool(PoolSettings settings, std::vector<Member> members);
  const PoolSettings& settings() const { return settings_; }
  const std::vector<Member>& members() const { return members_; }
  const Member* by_id(std::string_view id) const;
  const Member* by_tag(std::string_view tag) const;  // the last 8 characters of a sid
  const Member* by_serial(std::uint32_t serial) const;
  bool holds(Affinity kind) const;
  // True if `bounded_load` is on and may act: not where affinity has neither sid nor cookie.
  bool bounds_load() const;
  // True if clients with an address are placed by it: affinity has `source`, or `balance` is it.
  bool places_by_source() const { return holds(Affinity::source) || settings_.balance == Balance::source; }

  // What hashing needs of the members with a weight, side by side, so that it reads only the chosen Server.
  // Those of one weight stand together.
  struct Seat {
    std::uint64_t id_hash;
    double weight;
    std::uint32_t index;  // into members()
  };
  std::span<const Seat> seats(bool backup) const { return backup ? backup_seats_ : seats_; }
  // Of those that are no backups, which are not none: one by its share of the weights, at `fraction` in (0,
  // 1).
  const Seat& seat_at(double fraction) const;

  std::uint64_t serial() const { return serial_; }  // of this object, never reused in the process
  std::uint64_t load() const;                       // of all members

 private:
  PoolSettings settings_;
  std::vector<Member> members_;
  std::vector<Seat> seats_;
  std::vector<Seat> backup_seats_;
  std::vector<double> weights_up_to_;  // by seat, its own included
  std::uint64_t serial_;
  std::unordered_map<std::string_view, std::uint32_t> by_id_;  // views into the servers' own strings
  std::unordered_map<std::string_view, std::uint32_t> by_tag_;
  std::unordered_map<std::uint32_t, std::uint32_t> by_serial_;
};

// The factor of a server's weight at `now_ms`: 1, or from 0.1 upwards while it starts slowly.
double slow_start_factor(const Server& server, std::uint64_t slow_start_ms, std::uint64_t now_ms);

std::uint64_t seed_of(std::string_view text);  // XXH3-64, seed 0

}  // namespace limpet::routing
