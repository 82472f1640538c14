// Server: HTTP/1.1 for a node: connections, keep-alive, pipelining, limits. Knows nothing of WebSocket frames or
// Engine.IO; whoever handles an upgrade takes the socket away.
//
// One loop's thread. A Handler is asked once a request has its head; it then reads the body or not, and answers when it
// likes: a long poll keeps its Exchange open. The client's going is told at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/net/address.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/net/stream.h"
#include "proxy/wire/head.h"

namespace limpet::http {

struct Limits {
  wire::HeadLimits head;
  std::uint64_t head_timeout_ms = 10'000;
  std::uint64_t idle_timeout_ms = 75'000;  // between requests, and without progress of a body or an answer
  std::uint32_t max_connections = 60'000;
};

// A whole answer. Date, Content-Length (or chunked) and Connection are the server's; everything else stands here.
struct Answer {
  int status = 200;
  std::string_view content_type;  // empty: no field
  std::string_view fields;        // more fields, each with its CRLF
  std::string_view body;
  bool chunked = false;           // no Content-Length, as Node.js does where the head went out first
  bool close = false;
};

class Exchange;

// Told of what becomes of a request that it has been given. Destroying the Exchange's connection ends it too.
class Watcher {
 public:
  // The body, whole. Views die with the call.
  virtual void on_body(std::string_view) {}
  virtual void on_body_too_large() {}  // the rest is read and dropped; an answer is still due
  virtual void on_gone() {}            // the client's connection ended first: the Exchange is no more after this

 protected:
  ~Watcher() = default;
};

// One request and its answer. Lives until it is answered, upgraded, destroyed, or on_gone().
class Exchange {
 public:
  virtual const wire::RequestHead& head() const = 0;  // valid as long as the Exchange is
  virtual const net::Address& peer() const = 0;
  virtual net::Loop& loop() = 0;
  virtual void watch(Watcher* watcher) = 0;           // nullptr: nobody
  virtual void read_body(std::uint64_t most) = 0;     // then on_body() or on_body_too_large()
  virtual void answer(const Answer& answer) = 0;      // `this` may be gone when it returns
  virtual void destroy() = 0;                         // ends the connection without an answer
  // Of a request that asks for WebSocket: writes a 101 with these fields (each with its CRLF) and gives the socket
  // away. `unsent` is what the kernel did not take of it, `early` what the client sent after its head.
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

class Server {
 public:
  Server(net::Loop& loop, const Limits& limits);
  ~Server();
  // The longest prefix of the raw target that fits has the request; "" takes what no other does (without one: 404).
  void route(std::string prefix, Handler& handler);
  void listen(net::Fd socket);
  void stop_accepting();
  void close_idle();                  // draining: every answer closes its connection from now on
  std::size_t connections() const;    // without those that were upgraded

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::http
