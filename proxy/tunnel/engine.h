// Engine: all established tunnels of one worker, on its loop, past everything that a request needs.
//
// A guest of the loop: a tunnel's sockets stay in the worker's edge-triggered epoll set, but their events
// come straight here. A thread of its own would cost two epoll_ctl calls a socket and a thread switch an
// upgrade; and as what tunnels move in a turn is bounded, requests do not wait long for them
// (tests/bench/README.md). Only on the loop's thread, totals() apart. A tunnel costs its slot while idle: no
// buffer, no timer object.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "proxy/net/counter.h"
#include "proxy/net/loop.h"
#include "proxy/tunnel/tunnel.h"

namespace limpet::tunnel {

struct Options {
  std::uint64_t half_close_ms = 30'000;  // silence after one side has ended
};

// Written on the loop's thread alone, read by anyone.
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
  // `scratch` is what is read into; others of the loop may use it between events.
  Engine(net::Loop& loop, std::span<char> scratch, Options options = {});
  ~Engine();  // closes what is left
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The sockets change hands here, once and for good.
  void adopt(Handover handover);

  // Closes all tunnels at an even rate over `window_ms`, later ones too.
  void drain(std::uint64_t window_ms);
  void close_server(std::uint32_t server_serial);  // those with close_on_server_down
  // Likewise, one of `of` equal parts of what there is now.
  void close_part(std::uint32_t server_serial, std::uint64_t of);
  void close_all();

  std::uint64_t open() const;  // adopted and not ended; any thread
  const Totals& totals() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::tunnel
