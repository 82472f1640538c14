// Worker: one thread with its event loop, its client connections and everything that these use without locks.
//
// The control thread makes workers, starts their threads and talks to them by post(); sessions live on the
// worker's thread and die there.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "proxy/config/snapshot.h"
#include "proxy/net/cpus.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/session/metrics.h"
#include "proxy/session/room.h"
#include "proxy/tunnel/engine.h"
#include "proxy/upstream/idle_pool.h"
#include "routing/chooser.h"
#include "routing/sid_table.h"

namespace limpet::session {

class Exchange;
class Session;

// Who is told how servers behave. Any thread.
class ServerObserver {
 public:
  virtual ~ServerObserver() = default;
  virtual void connect_failed(const routing::Server& server, int error) = 0;
  virtual void connect_succeeded(const routing::Server& server) = 0;
  virtual void handshake_slow(const routing::Server& server) = 0;
};

// Told when so many clients have gone that their memory may be worth giving back. Any thread.
class CrowdObserver {
 public:
  virtual ~CrowdObserver() = default;
  virtual void many_have_gone() = 0;
};

// What all workers share. Outlives them.
struct Shared {
  Shared(routing::SidTable& sid_table, ServerObserver& server_observer, CrowdObserver& crowd_observer,
         std::uint32_t most)
      : sids(sid_table), observer(server_observer), crowd(crowd_observer), max_connections(most) {}
  void client_has_gone() {
    constexpr std::uint32_t kMany = 1024;
    connections.fetch_sub(1, std::memory_order_relaxed);
    if (gone.fetch_add(1, std::memory_order_relaxed) % kMany == kMany - 1) crowd.many_have_gone();
  }
  routing::SidTable& sids;
  ServerObserver& observer;
  CrowdObserver& crowd;
  const std::uint32_t max_connections;
  std::atomic<std::uint32_t> connections{0};       // of clients, tunnels included
  std::atomic<std::uint32_t> gone{0};              // of them, since the start
  std::atomic<std::uint32_t> most_connections{0};  // about, since memory was given back
  std::atomic<bool> ready{false};                  // what ready_path answers; readiness of the process
  std::atomic<bool> draining{false};               // every answer closes its connection
  std::atomic<std::uint64_t> untrusted_said_ms{0};
};

class Worker {
 public:
  // Its thread runs on `cpu`, if there is one.
  Worker(Shared& shared, std::shared_ptr<const config::Snapshot> snapshot, std::optional<net::Cpu> cpu = {});
  ~Worker();
  Worker(const Worker&) = delete;

  // Control thread, before start().
  void listen(net::Fd socket, std::uint32_t listener);
  void start();

  // Any thread; done on the worker's.
  void accept();            // from now on
  void finish_accepting();  // empties the queues, closes the listeners
  void drain(std::uint64_t window_ms);
  void close_all();                                 // what is left of sessions
  void server_silent(std::uint32_t server_serial);  // suspect or down: handshakes that wait on it move
  void server_down(std::uint32_t server_serial);    // tunnels with on_down = "close" end
  // One of `of` equal parts of them.
  void close_part(std::uint32_t server_serial, std::uint64_t of);
  // From now on; requests that are under way stay with what they have begun with.
  void use(std::shared_ptr<const config::Snapshot> snapshot);
  void stop();  // ends the thread; call after close_all()

  const Metrics& metrics() const { return metrics_; }
  const tunnel::Engine& tunnels() const { return tunnels_; }
  std::uint64_t refused_without_descriptor() const;  // answered by the acceptors themselves
  bool accepting_finished() const { return accepting_finished_.load(std::memory_order_acquire); }

  // --- for sessions, on this thread ---
  net::Loop& loop() { return loop_; }
  Shared& shared() { return shared_; }
  const std::shared_ptr<const config::Snapshot>& snapshot() const { return snapshot_; }
  Metrics& count() { return metrics_; }
  routing::Chooser& chooser() { return chooser_; }
  upstream::IdlePool& idle() { return idle_; }
  Rooms& rooms() { return rooms_; }
  tunnel::Engine& engine() { return tunnels_; }
  std::span<char> scratch() { return {scratch_.get(), kScratch}; }
  const std::shared_ptr<const net::Target::Addresses>& addresses(const config::PoolEntry& pool,
                                                                 const routing::Member& member);
  bool lists(const routing::Server& server) const;  // in a pool, if only among those that leave
  std::uint32_t next_turn() { return ++turn_; }
  static constexpr std::size_t kRequestId = 24;  // hex digits: 96 random bits
  void write_request_id(std::span<char, kRequestId> out);
  // A peer that is not in trusted_proxies sent X-Forwarded-For: said once an hour, with the line to add.
  void warn_untrusted(const net::Address& peer);
  void bury(Session& session);                  // destroys it; the caller returns at once
  void wait_for_handshake(Exchange& exchange);  // listed until forget_handshake()
  void forget_handshake(Exchange& exchange);

  static constexpr std::size_t kScratch = 128 * 1024;

 private:
  void on_accept(net::Fd fd, const net::Address& peer, std::uint32_t listener);
  void refuse_connection(net::Fd fd, const net::Address& peer);
  void move_handshakes(std::uint32_t server_serial);
  void drop_idle_of_others(const config::Snapshot& next);

  Shared& shared_;
  std::shared_ptr<const config::Snapshot> snapshot_;
  net::Loop loop_;
  Metrics metrics_;
  upstream::IdlePool idle_{loop_};
  const std::optional<net::Cpu> cpu_;
  Rooms rooms_;
  std::unique_ptr<char[]> scratch_ = std::make_unique<char[]>(kScratch);
  tunnel::Engine tunnels_{loop_, scratch()};
  routing::Chooser chooser_;
  std::vector<std::unique_ptr<net::Acceptor>> acceptors_;
  struct Known {
    std::uint32_t version = ~0u;
    std::shared_ptr<const net::Target::Addresses> addresses;
  };
  std::unordered_map<std::uint32_t, Known> known_;  // by server serial
  std::vector<Exchange*> handshakes_;
  Session* first_ = nullptr;
  std::uint64_t id_state_;
  std::uint32_t turn_ = 0;
  std::atomic<bool> accepting_finished_{false};
  std::thread thread_;
};

}  // namespace limpet::session
