// Engine: one thread that runs nothing but established tunnels, on a private edge-triggered epoll set.
//
// One engine beside each worker. The worker calls adopt(), for which it is the only thread; drain(),
// close_server() and stop() are for any thread. A tunnel costs its slot while idle: no buffer, no timer
// object.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "proxy/net/counter.h"
#include "proxy/net/cpus.h"
#include "proxy/tunnel/tunnel.h"

namespace limpet::tunnel {

struct Options {
  std::uint64_t half_close_ms = 30'000;  // silence after one side has ended
  std::optional<net::Cpu> cpu = {};      // that the thread runs on; none: any
};

// Written by the engine's thread alone, read by anyone.
struct Totals {
  net::Counter opened;
  net::Counter ended;
  net::Counter bytes_in;  // of tunnels that have ended
  net::Counter bytes_out;
  net::Counter ended_by[6];                // by Why
  std::atomic<std::uint64_t> buffered{0};  // bytes held for slow peers now
};

class Engine {
 public:
  explicit Engine(Options options = {});
  ~Engine();  // stops: every tunnel is closed
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void start();
  // The sockets change hands here, once and for good.
  void adopt(Handover handover);

  // Closes all tunnels at an even rate over `window_ms`, later ones too.
  void drain(std::uint64_t window_ms);
  void close_server(std::uint32_t server_serial);  // those with close_on_server_down
  void stop();                                     // closes all at once, ends the thread
  std::uint64_t open() const;                      // handed over and not ended
  const Totals& totals() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::tunnel
