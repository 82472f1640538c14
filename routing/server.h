// Server: the identity and the shared counters of one server of a pool.
//
// Lives across reloads (a snapshot refers to it by shared_ptr); everything mutable is a relaxed atomic.
// Health writes `state` and `slow_start_at_ms`, an operator (or a reload) writes `wanted`, workers write the
// load.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace limpet::routing {

enum class State : std::uint8_t { up, suspect, refusing, down };  // what health says
// What an operator says. leaving: by taking it from the configuration; its sessions are served for a while.
enum class Wanted : std::uint8_t { serving, draining, maintenance, leaving };

// Requests in flight and open tunnels in one word: what each thread adds is exact, so that a bound holds when
// several threads reach it at once, and a request that becomes a tunnel is never counted twice.
class InUse {
 public:
  std::uint32_t begin_request() {
    return sum(word_.fetch_add(1, std::memory_order_relaxed) + 1);
  }  // the new total
  void end_request() { word_.fetch_sub(1, std::memory_order_relaxed); }
  void become_tunnel() { word_.fetch_add(kTunnel - 1, std::memory_order_relaxed); }
  void end_tunnel() { word_.fetch_sub(kTunnel, std::memory_order_relaxed); }
  std::uint32_t requests() const { return static_cast<std::uint32_t>(word_.load(std::memory_order_relaxed)); }
  std::uint32_t tunnels() const {
    return static_cast<std::uint32_t>(word_.load(std::memory_order_relaxed) >> 32);
  }
  std::uint32_t total() const { return sum(word_.load(std::memory_order_relaxed)); }

 private:
  static constexpr std::uint64_t kTunnel = 1ull << 32;
  static std::uint32_t sum(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> 32) + static_cast<std::uint32_t>(word);
  }
  std::atomic<std::uint64_t> word_{0};
};

struct Server {
  explicit Server(std::string pool, std::string id);
  Server(const Server&) = delete;

  const std::string pool;
  const std::string id;
  const std::string tag;        // server_tag(id)
  const std::uint64_t id_hash;  // XXH3-64 of id, seed 0
  const std::uint32_t serial;   // one of its kind in the process, never reused; what the sid table keeps

  // One cache line that every thread writes; kept apart from what is only read.
  struct alignas(64) Load {
    InUse in_use;
    std::atomic<std::uint64_t> requests_total{0};
    std::atomic<std::uint64_t> tunnels_total{0};
    std::atomic<std::uint64_t> bytes_in{0};   // from clients
    std::atomic<std::uint64_t> bytes_out{0};  // to clients
  };
  Load load;
  std::uint32_t in_use() const { return load.in_use.total(); }

  struct alignas(64) View {
    std::atomic<State> state{State::up};
    std::atomic<Wanted> wanted{Wanted::serving};
    std::atomic<std::uint64_t> slow_start_at_ms{0};  // came up at this time and starts slowly; 0: not
    std::atomic<std::uint32_t> failed_connects{0};   // in a row
    std::atomic<std::uint64_t> slow_handshakes{0};   // waiting for a first byte now, past 500 ms
    std::atomic<std::uint32_t> transitions{0};       // of state, so far
    std::atomic<bool> met{true};                     // no probe has told anything yet: false
  };
  View view;

  State state() const { return view.state.load(std::memory_order_relaxed); }
  Wanted wanted() const { return view.wanted.load(std::memory_order_relaxed); }
  bool met() const { return view.met.load(std::memory_order_relaxed); }
  // The table of the design: new sessions only where it says so (suspect: as a last resort, see Chooser).
  bool takes_new() const { return state() == State::up && wanted() == Wanted::serving; }
  // Handshakes have waited on it for half a second and more.
  bool is_slow() const { return view.slow_handshakes.load(std::memory_order_relaxed) > 0; }
  bool serves_old() const { return state() != State::down && wanted() != Wanted::maintenance; }
};

// The 8 characters that end a self-naming sid: base64url of the 48 most significant bits, big-endian, of
// XXH3-64 with seed 0 over the id. server_tag("ws1") == "_9OrFaYU", server_tag("ws2") == "aqV2S1-o".
std::string server_tag(std::string_view id);

}  // namespace limpet::routing
