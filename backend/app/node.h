// Node: what `limpet node` serves, from its first listening socket to its last connection. One loop's thread.
//
// Knows no command line, no signals and no log: whoever holds it has those, and is told here what there is to
// say. Shutdown: /health says `draining` and no session begins; those that there are end at an even rate over
// the window, while polls and balancers' probes still find a listener; then what is left is cut, and Redis is
// told who has gone. Without Redis the node serves the clients that it has: /health says `degraded`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/app/cluster.h"
#include "backend/app/token.h"
#include "backend/http/server.h"
#include "backend/raw/endpoint.h"
#include "backend/socketio/options.h"
#include "proxy/net/address.h"
#include "proxy/net/loop.h"

namespace limpet::app {

struct Settings {
  std::string id;  // empty: the address that it listens on, as "10.0.0.1:3000", "::1:3000"
  net::Address listen;
  std::optional<net::Address> admin;  // a Unix socket or loopback
  http::Limits http;
  socketio::Options io;  // its node_id and its cookie's value are filled in from `id`
  std::vector<std::string> namespaces{"/"};
  std::shared_ptr<const TokenVerifier> tokens;  // null: auth.userId is believed
  bool page = false;                            // ClusterPage at /, and the event that it needs
  std::optional<raw::Options> raw;              // a plain WebSocket endpoint beside Socket.IO
  std::optional<ClusterSettings> cluster;       // what it has with other nodes, through Redis
  OnEvent on_event;                             // of the link to Redis; may be unset
  std::uint64_t drain_window_ms = 30'000;       // after shut_down(): sessions end, spread over this time
  // Then: for the last of them to answer their close. More than a ws::Socket waits for that, so that who is
  // long dead, and has been told, is no session that was cut.
  std::uint64_t last_closes_ms = 6'000;
  std::uint64_t last_answers_ms = 1'000;  // then: for HTTP answers that are on their way
  std::uint64_t last_words_ms = 3'000;    // then: for Redis to hear that the users here have gone
};

class Node {
 public:
  Node(net::Loop& loop, Settings settings);
  ~Node();

  // What kept it from listening, or nothing.
  std::optional<std::string> start();
  const net::Address& address() const;        // with the port that the kernel chose
  const net::Address* admin_address() const;  // null: there is none
  const std::string& id() const;
  std::size_t sessions() const;               // now
  std::vector<std::string> warnings() const;  // about what it was asked to be

  // `done` is called once: true if every session had ended by the end of the window.
  void shut_down(std::function<void(bool clean)> done);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// Whether clients beyond this host and private networks can reach it.
bool is_public(const net::Address& address);

}  // namespace limpet::app
