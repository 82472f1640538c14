// Floor: the smallest program that can serve Socket.IO over WebSocket: handshake, echo with ack, join,
// broadcast, pings. What a server costs above it is the price of being a server.
//
// One thread, one edge-triggered epoll set, one recv() and one send() a message. It trusts its clients: names
// of events are compared, JSON is not read, text is not checked.
#pragma once

#include <cstdint>
#include <string>

namespace limpet::bench {

struct FloorOptions {
  std::string listen;
  std::string ports_file;               // where the address is written; empty: standard output
  bool joined = false;                  // what is due to a client in one wake-up leaves in one send
  std::uint32_t ping_interval = 25000;  // ms
  std::uint32_t ping_timeout = 20000;
};

[[noreturn]] void floor(const FloorOptions& options);

}  // namespace limpet::bench
