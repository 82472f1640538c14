// Tunnel: two sockets whose bytes go to each other, after a protocol upgrade. A plain record.
//
// Lives in a slot of its Engine's slab and is touched by the engine only, once it was handed over. Knows
// nothing of HTTP, configuration or logs: whoever hands it over has sent the 101 and gives a Record to be
// told of the end. An idle tunnel holds no buffer.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/net/stream.h"
#include "proxy/net/timer_wheel.h"

namespace limpet::tunnel {

enum class Side : std::uint8_t { client = 0, server = 1 };

enum class Why : std::uint8_t {
  eof,          // one side ended, then the other
  reset,        // a connection broke
  idle,         // tunnel_idle, or no byte for long after one side ended
  drain,        // shutdown
  server_down,  // health, with on_down = "close"
  failed,       // the kernel would not take the sockets
};
enum class Who : std::uint8_t { client, server, proxy };

struct Ending {
  Who who = Who::proxy;  // the side that ended first, or we
  Why why = Why::eof;
  std::uint64_t bytes_in = 0;   // from the client, bytes counted before the hand-over included
  std::uint64_t bytes_out = 0;  // to the client
};

// Told of the end, once, then destroyed.
class Record {
 public:
  virtual ~Record() = default;
  virtual void ended(const Ending& ending) noexcept = 0;
};

// Everything that a session gives away.
struct Handover {
  net::Stream client;  // of the engine's loop, both
  net::Stream server;
  std::string_view to_client;  // bytes that belong before everything else; mostly empty
  std::string_view to_server;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t idle_ms = 3'600'000;
  std::uint32_t server_serial = 0;  // for close_server()
  bool close_on_server_down = false;
  std::unique_ptr<Record> record;
};

struct Pending;  // bytes that a slow side has not taken yet (buffers.h)

// One direction: from one side to the other.
struct Way {
  Pending* pending = nullptr;
  std::uint64_t bytes = 0;
  bool readable = false;  // an edge was seen and the socket not read empty since
  bool ending = false;    // the source has sent its end or broke: read until it says so
  bool eof = false;       // the source's end was read
  bool shut = false;      // and told to the other side, or nobody is left to tell
};

struct Tunnel {
  net::TimerNode timer;  // first: a node found in the wheel is its tunnel
  int fd[2] = {-1, -1};  // by Side
  Way way[2];            // way[s]: from side s to the other
  std::uint64_t active_ms = 0;
  std::uint64_t idle_ms = 0;
  Record* record = nullptr;
  Tunnel* prev = nullptr;  // all live tunnels of the engine
  Tunnel* next = nullptr;
  Tunnel* next_ready = nullptr;
  std::uint32_t index = 0;       // in the slab
  std::uint32_t generation = 0;  // events that name another are of a tunnel that is gone
  std::uint32_t server_serial = 0;
  bool ready = false;  // in the ready list: it yielded
  bool closing = false;
  bool draining = false;
  bool close_on_server_down = false;
  Who first = Who::proxy;
  Why why = Why::eof;
};
static_assert(sizeof(Tunnel) <= 256);

}  // namespace limpet::tunnel
