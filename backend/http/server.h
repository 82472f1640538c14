// Server: HTTP/1.1 for a node: connections, keep-alive, pipelining, limits. Knows nothing of WebSocket frames
// or Engine.IO; whoever handles an upgrade takes the socket away.
//
// One loop's thread. A Handler is asked once a request has its head; it then reads the body or not, and
// answers when it likes: a long poll keeps its Exchange open. The client's going is told at once. One request
// a connection at a time: the next one's head waits.
//
// Nobody is called from within a call: a handler or a Watcher may do anything to any Exchange at any time and
// finds no other handler or Watcher on its stack for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "backend/budget/budget.h"
#include "proxy/net/address.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/net/stream.h"
#include "proxy/wire/head.h"

namespace limpet::http {

struct Limits {
  wire::HeadLimits head = {};
  std::uint64_t head_timeout_ms = 10'000;
  // Between requests, without progress of a body, and for an answer that leaves at less than 16 bytes a
  // millisecond.
  std::uint64_t idle_timeout_ms = 75'000;
  std::uint64_t linger_ms = 5'000;         // after the last answer: for the client to read it
  std::uint32_t max_connections = 60'000;  // more: 503 at once. Those that were upgraded do not count
  std::uint32_t max_with_upgraded = 4'000'000'000;  // the same for both together: Server::count_also()
  // At either of them, instead: a connection that has waited for so long without a request makes room, the
  // one that has waited longest; of those that were answered already only if no other has.
  std::uint64_t yields_after_ms = 1'000;
  // Bytes of answers that all slow readers together have not taken; whose answer is over it is cut off.
  std::size_t max_unsent = 256 * 1024 * 1024;
};

// A whole answer. Date, Content-Length (or chunked) and Connection are the server's; everything else stands
// here.
struct Answer {
  int status = 200;
  std::string_view content_type = {};  // empty: no field
  std::string_view fields = {};        // more fields, each with its CRLF
  std::string_view body = {};
  bool chunked = false;  // no Content-Length, as Node.js does where the head went out first
  bool close = false;
};

class Exchange;

// Told of what becomes of a request that it has been given.
class Watcher {
 public:
  // The body, whole. Views die with the call.
  virtual void on_body(std::string_view) {}
  virtual void on_body_too_large() {}  // the rest is read and dropped; an answer is still due
  virtual void on_gone() {}            // the client's connection ended first: the Exchange is no more

 protected:
  ~Watcher() = default;
};

// One request and its answer. Lives until it is answered, upgraded, destroyed, or on_gone().
class Exchange {
 public:
  virtual const wire::RequestHead& head() const = 0;  // valid as long as the Exchange is
  virtual const net::Address& peer() const = 0;
  virtual net::Loop& loop() = 0;
  virtual void watch(Watcher* watcher) = 0;  // nullptr: nobody
  virtual void read_body(
      std::uint64_t most) = 0;  // then on_body() (empty if there is none) or on_body_too_large()
  virtual void answer(const Answer& answer) = 0;  // `this` may be gone when it returns
  virtual void destroy() = 0;                     // ends the connection without an answer
  // Of a request that wire::check_handshake() finds clean: gives the socket away. `unsent` is the whole 101
  // (Upgrade, Connection, Sec-WebSocket-Accept, then these fields, each with its CRLF), which nobody has
  // written yet, so that it leaves together with the first frames. `early` is what the client sent after its
  // head.
  struct Upgraded {
    net::Stream stream;
    net::Address peer;
    std::string early;
    std::string unsent;
  };
  virtual Upgraded upgrade(std::string_view fields) = 0;
  // Raw bytes after which the connection ends: refusals that are no clean HTTP.
  virtual void write_and_close(std::string_view bytes) = 0;

 protected:
  ~Exchange() = default;
};

class Handler {
 public:
  virtual void on_request(Exchange& exchange) = 0;

 protected:
  ~Handler() = default;
};

struct Totals {
  std::uint64_t accepted = 0, refused = 0;  // connections; refused: over max_connections
  std::uint64_t requests = 0, faults = 0;   // faults: heads and bodies that were refused here
  std::uint64_t timeouts = 0;
  std::uint64_t yielded = 0;  // connections that made room for others
};

class Server {
 public:
  Server(net::Loop& loop, const Limits& limits);
  ~Server();  // whose request is still open is told on_gone(). Not from within a call of its own
  // The longest prefix of the raw target that fits has the request; "" takes what no other does (without one:
  // 404).
  void route(std::string prefix, Handler& handler);
  // How many descriptors those hold that were upgraded, and whatever else counts for max_with_upgraded.
  void count_also(std::function<std::size_t()> upgraded);
  void listen(net::Fd socket);  // of bind_listener(): what it accepts inherits its options
  void adopt(net::Fd connection, const net::Address& peer);  // one that was accepted elsewhere
  void stop_accepting();                                     // after what is in the queue
  void close_idle();                // draining: every answer closes its connection from now on
  std::size_t connections() const;  // without those that were upgraded
  std::size_t exchanges() const;    // requests that wait for their answer
  const Totals& totals() const;
  budget::Spender& spender();

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::http
