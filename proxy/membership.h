// Membership: who is in the pools while the process runs: the snapshot that workers use, what health watches,
// and the servers that leave.
//
// Owned by the Service, on the control thread, which builds; workers take a snapshot between two events. A
// server that a reload removes leaves: for drain_timeout its sessions are served by sid, and others only
// while nobody who stays takes any; its tunnels are closed over that time where on_down says so, and kept
// otherwise. Then it is forgotten. A server whose address changes is where it was until it has passed a probe
// at the new one, unless it is down when that is told.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "health/monitor.h"
#include "proxy/config/snapshot.h"
#include "proxy/net/loop.h"
#include "proxy/session/worker.h"

namespace limpet {

class Membership {
 public:
  struct Parts {  // all outlive it
    net::Loop& loop;
    health::Monitor& monitor;
    const std::vector<std::unique_ptr<session::Worker>>& workers;
    std::function<void()> on_change;  // workers are told of other members
  };
  Membership(Parts parts, std::shared_ptr<const config::Config> config);

  const std::shared_ptr<const config::Snapshot>& snapshot() const { return snapshot_; }
  void watch();  // before the monitor starts

  // The same file with other servers in its pools (config::first_difference() finds nothing). Returns what
  // has changed, for the log; empty: nothing.
  std::string adopt(const std::shared_ptr<const config::Config>& config);

 private:
  struct Leaving {
    std::uint64_t ends_ms;
    bool closes;  // its tunnels, by and by
  };

  std::shared_ptr<const config::Snapshot> rebuilt(std::shared_ptr<const config::Config> config,
                                                  const config::IsGone& is_gone,
                                                  const net::Target* arrived) const;
  void install(std::shared_ptr<const config::Snapshot> fresh);
  void arrive(const net::Target& at);
  void note_leaving();
  void on_tick();
  bool is_over(const routing::Server& server, const Leaving& leaving) const;
  void let_go(const std::unordered_set<std::uint32_t>& gone);

  const Parts parts_;
  std::shared_ptr<const config::Snapshot> snapshot_;
  std::unordered_map<std::uint32_t, Leaving> leaving_;  // by serial
  net::Timer tick_;
};

}  // namespace limpet
