// Endpoint: a plain WebSocket endpoint beside Socket.IO: echo, or topics that clients publish to and
// subscribe to.
//
// One loop's thread. An http::Handler for one path; takes the sockets of the upgrades it accepts.
//
// In topics mode a client's messages are words with single spaces between them, text or binary alike:
//
//   subscribe TOPIC        is answered "subscribed TOPIC"
//   unsubscribe TOPIC      is answered "unsubscribed TOPIC"
//   publish TOPIC DATA     all other subscribers get "message TOPIC DATA", in a frame of the publisher's kind
//
// and what cannot be done is answered "error REASON". A topic has 1 to 64 visible ASCII characters. DATA is
// any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "backend/budget/budget.h"
#include "backend/http/server.h"
#include "backend/ws/deflate.h"
#include "proxy/net/loop.h"

namespace limpet::raw {

enum class Mode : std::uint8_t { echo, topics };

struct Options {
  std::string path = "/ws";  // exactly; empty: any
  Mode mode = Mode::echo;
  std::uint32_t max_payload = 16 * 1024;  // bytes, inflated, inclusive; more: close 1009
  std::uint64_t idle_timeout_ms =
      60'000;  // 0: none. Pinged 8 s before it ends (at half of it, if it is short)
  std::uint32_t max_backpressure = 64 * 1024;  // bytes that a slow reader may leave unsent
  bool close_slow = false;  // the connection ends at that limit; else what is over it is left out
  ws::Deflate deflate = ws::Deflate::shared;  // where the client offers it
  // More: Close 1008 `Server at capacity`, as for those for whom a budget that watches it has no room.
  std::uint32_t max_connections = 50'000;
  std::uint32_t max_leaving = 1'000;  // whose Close is waited for; more: cut after ours
  std::uint32_t max_topics = 256;     // that one connection is subscribed to
};

struct Totals {
  std::uint64_t opened = 0, closed = 0, refused = 0;  // refused: no WebSocket handshake, or at capacity
  std::uint64_t messages_in = 0, messages_out = 0;
  std::uint64_t left_out = 0;   // messages, of slow readers
  std::uint64_t timed_out = 0;  // connections
};

class Endpoint final : public http::Handler {
 public:
  Endpoint(net::Loop& loop, const Options& options);
  ~Endpoint();  // ends its connections at once
  Endpoint(const Endpoint&) = delete;

  void on_request(http::Exchange& exchange) override;
  void refuse_new();                    // 503 from now on
  void drain(std::uint64_t window_ms);  // Close 1012 for each, at an even rate
  void close_all();                     // what is left, at once
  std::size_t connections() const;
  std::size_t leaving() const;  // whose Close frame is on its way
  std::size_t topics() const;
  const Totals& totals() const;
  void share(budget::Budget& budget);  // of a process that has others who hold something; outlives it

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::raw
