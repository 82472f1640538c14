// Chooser: the one place that decides which server gets a request. The order is that of the design's
// "Affinity".
//
// One object a worker, touched by its thread only (a random state, a round-robin position, scratch space);
// nothing it does locks or allocates in the steady state, but for the sid table's short shard lock.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "routing/balance.h"
#include "routing/client_key.h"
#include "routing/pool.h"
#include "routing/rendezvous.h"
#include "routing/roster.h"
#include "routing/sid_table.h"
#include "routing/survey.h"

namespace limpet::routing {

enum class Kind : std::uint8_t { plain, begins, belongs };

struct Ask {
  Kind kind = Kind::plain;
  ClientKey client;
  std::string_view sid;                       // of a request that belongs
  std::span<const std::string_view> cookies;  // values of the pool's affinity cookie, in order
  std::uint64_t now_ms = 0;
  std::span<const Server* const> not_these;  // tried already; never chosen
};

enum class By : std::uint8_t {
  none,
  sid,      // named itself
  learned,  // in the table
  cookie,
  source,
  balance,
  moved,  // by source or balance, although a cookie or sid named a server that takes no new sessions
};
std::string_view name_of(By by);  // "sid", "learned", ...

enum class Refusal : std::uint8_t {
  none,
  sid_gone,  // its server is down or gone: 400, code 1
  lost,      // on_lost = strict and the server takes no new sessions: 503
  all_down,  // 503 with Retry-After
  full,      // every server, or the pool, is at max_connections: 503
};

struct Choice {
  const Member* member = nullptr;  // lives as long as the Pool
  By by = By::none;
  Refusal refusal = Refusal::none;
  bool cookie_valid = false;  // the request had a cookie that named this server
  std::uint32_t life_ms = 0;  // of a learned session: its pingInterval + pingTimeout
};

class Chooser {
 public:
  Chooser(SidTable& sids, std::uint64_t random_seed);
  Choice choose(const Pool& pool, const Ask& ask);
  // What it remembers of pools: after a reload they are others.
  void forget_pools();

 private:
  // In this order servers are asked to take a request; the next round only if none of the last can take it.
  enum class Round : std::uint8_t { up, backup_up, suspect, backup_suspect, leaving, backup_leaving };
  static bool in_round(const Member& member, Round round);

  Choice choose_belonging(const Pool& pool, const Ask& ask);
  Choice choose_by_hash(const Pool& pool, const Ask& ask) const;
  const Member* named_by(const Pool& pool, std::string_view cookie, std::uint64_t now_ms) const;
  bool may_be_held(const Pool& pool, const Ask& ask, const Member& named);
  Choice place(const Pool& pool, const Ask& ask);
  void gather(const Pool& pool, const Ask& ask, Round round);
  const Member* first_by_source(const Pool& pool, const Ask& ask, std::uint64_t key);
  bool willing(const Pool& pool, const Ask& ask, const Member& member, std::uint64_t drawn);
  const Member* by_source(const Pool& pool, const Ask& ask, std::uint64_t key) const;
  const Member* next_of_large(const Pool& pool, const Ask& ask);
  const Member* by_balance(const Pool& pool);

  SidTable& sids_;
  Random random_;
  Turns turns_;
  Surveys surveys_;
  Rosters rosters_;
  std::vector<Candidate> candidates_;  // scratch: who can take the request in this round
  double weights_ = 0;                 // scratch: present weights of all of this round
  bool met_full_ = false;              // scratch: in any round
  bool met_slow_ = false;              // scratch: in this round
};

}  // namespace limpet::routing
