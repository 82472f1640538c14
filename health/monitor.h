// Monitor: the one prober of the process, and the one writer of servers' states. Control thread; what workers
// tell it may come from any thread and is coalesced.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "health/settings.h"
#include "health/state_machine.h"
#include "proxy/net/loop.h"
#include "proxy/net/target.h"
#include "routing/server.h"

namespace limpet::health {

struct Watched {
  std::shared_ptr<routing::Server> server;
  std::shared_ptr<net::Target> target;
  std::string host;  // a name to resolve; empty: the target is filled already
  std::uint16_t port = 0;
  std::string host_header;  // the server's address as it is written; of a Unix socket localhost
  std::shared_ptr<const Watched> moves_to{};  // the same server elsewhere: probed, too, before it is there
};

struct Status {
  std::string pool;
  std::string id;
  std::vector<std::string> addresses;
  routing::State state;
  routing::Wanted wanted;
  std::string reason;
  std::uint64_t since_ms;  // of net::now_ms(): when it came into this state
  std::uint32_t passed_in_a_row;
  std::uint32_t silent_in_a_row;
  std::uint32_t needed;  // good probes to come up
};

class Monitor {
 public:
  explicit Monitor(net::Loop& control);
  ~Monitor();

  // Before start().
  void add_pool(std::string name, Settings settings, std::vector<Watched> servers);
  // Control thread, while it runs, not from within on_change: the servers of a pool as they are from now on.
  // Who was there keeps its state; who is new, or has another target, is probed at once and gets no new
  // sessions before one has passed, unless it has passed one where it `moves_to`; who is not named any more
  // is forgotten.
  void update_pool(std::string_view name, std::vector<Watched> servers);
  // Control thread, after each change of a state.
  std::function<void(const routing::Server& server, routing::State from, routing::State to,
                     std::string_view reason)>
      on_change;

  // Control thread, from the loop itself: a server has passed a probe where it `moves_to`.
  std::function<void(const net::Target& at)> on_arrival;

  // Probes all at once; `first_round_done` is called once, when every server has a result or 1 s has passed,
  // from the loop itself: it may change the pools.
  void start(std::function<void()> first_round_done);

  // Any thread.
  void connect_failed(const routing::Server& server, int error);
  void connect_succeeded(const routing::Server& server);  // one relaxed load where nothing had failed
  void handshake_slow(const routing::Server& server);     // a probe now, if none is under way

  // Control thread.
  // False: no such server, or one that leaves.
  bool set_wanted(std::string_view pool, std::string_view id, routing::Wanted wanted);
  std::vector<Status> status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::health
