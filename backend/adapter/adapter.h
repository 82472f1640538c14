// Adapter: how a namespace tells rooms something, on this node and on others.
//
// A namespace owns one and is its Host. Everything that a namespace says to more than one socket passes
// through here, so that a cluster's adapter can publish it and decide when this node's own sockets hear it;
// what others publish comes in through the Host. One loop's thread. Views and references die with the call.
// Completions are called once, maybe from within the call; an adapter that is destroyed calls those it still
// owes, with an error.
//
// Promise: what one namespace of one node broadcasts reaches each socket in order and at most once. Nothing
// more: a socket that is away misses it, unless its session is restored.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/codec/args.h"
#include "backend/ws/message.h"
#include "proxy/net/loop.h"

namespace limpet::adapter {

using codec::Args;
using codec::Binary;

class Rooms;

struct Flags {
  bool local = false;      // this node alone
  bool volatile_ = false;  // not to those who cannot take it now
  bool compress = true;
  std::uint64_t timeout_ms = 0;  // of an answer that is waited for; 0: none was set
};

// Whom: everyone in any of `rooms` (none: everyone) who is in none of `except`.
struct Target {
  std::vector<std::string> rooms;
  std::vector<std::string> except;
  Flags flags;
};

// An event on its way to be encoded.
struct Event {
  std::string_view name;
  const Args& args;
  bool name_is_number = false;  // JavaScript's emit(42): `name` is its text
};

// An event as it goes to any number of clients: its header, then its attachments, with nothing in between.
struct Encoded {
  ws::MessageRef head;
  std::vector<ws::MessageRef> attachments;
  std::size_t bytes() const {
    std::size_t sum = head->body().size();
    for (const auto& attachment : attachments) sum += attachment->body().size();
    return sum;
  }
};

// One socket, wherever it is: what fetch_sockets() finds.
struct RemoteSocket {
  std::string id;
  boost::json::value handshake;  // headers, time, address, xdomain, secure, issued, url, query, auth
  std::vector<std::string> rooms;
  boost::json::value data;
};

// What is kept of a socket that may come back.
struct Session {
  std::string sid, pid;
  std::vector<std::string> rooms;
  boost::json::value data;
  bool live = false;  // its socket is still here: saved early
};
struct Restored {
  Session session;
  std::vector<Encoded> missed;  // each with its offset
};

// The node that an adapter serves: one namespace of it.
class Host {
 public:
  virtual std::string_view name() const = 0;  // of the namespace, with its slash
  // The namespace is no more, since a handler that one of the calls below has run; its adapter lives until
  // the end of the turn and must call nothing else here.
  virtual bool stopped() const = 0;
  virtual net::Loop& loop() = 0;
  virtual Rooms& rooms() = 0;  // this node's sockets
  // `offset`, if there is one, becomes the last argument. Throws std::invalid_argument for what no client
  // would take: a reserved name, too many attachments. So does deliver_with_ack(); check() does nothing else.
  virtual Encoded encode(const Event& event, std::optional<std::string_view> offset) = 0;
  virtual void check(const Event& event) const = 0;
  virtual void deliver(const Encoded& event, const Target& target) = 0;
  // Returns how many were asked; `on_ack` follows for each that answers before the timeout.
  virtual std::size_t deliver_with_ack(const Event& event, const Target& target,
                                       std::function<void(const Args&)> on_ack) = 0;
  virtual void fetch(const Target& target, std::vector<RemoteSocket>& found) = 0;
  virtual void join(const Target& target, const std::vector<std::string>& rooms) = 0;
  virtual void leave(const Target& target, const std::vector<std::string>& rooms) = 0;
  virtual void disconnect(const Target& target, bool close) = 0;
  // Another node's server_side_emit(): `reply` is empty, or called with one argument, later maybe, and once
  // at most, whatever handlers do. False: nobody here listens to it, and `reply` will not be called.
  virtual bool on_server_side_event(std::string_view name, const Args& args,
                                    std::function<void(const Args&)> reply) = 0;
  // A socket's session has been restored on another node: this one's ends, and is not saved again.
  virtual void supersede(std::string_view /*id*/) {}
  // A socket's session has to be saved early once more: its key has gone.
  virtual void save(std::string_view /*id*/) {}

 protected:
  ~Host() = default;
};

class Adapter {
 public:
  virtual ~Adapter() = default;
  virtual void broadcast(const Event& event, const Target& target) = 0;
  // `on_clients` once for each node that has received it, with its number of clients; `on_ack` for each
  // client's answer.
  virtual void broadcast_with_ack(const Event& event, const Target& target,
                                  std::function<void(std::size_t)> on_clients,
                                  std::function<void(const Args&)> on_ack) = 0;
  virtual void server_count(std::function<void(std::size_t)> done) = 0;  // this one included
  // `error`: what a caller is shown; empty if it went well. With an error, what was found is partial.
  virtual void fetch_sockets(const Target& target,
                             std::function<void(std::string_view error, std::vector<RemoteSocket>)> done) = 0;
  virtual void join(const Target& target, const std::vector<std::string>& rooms) = 0;
  virtual void leave(const Target& target, const std::vector<std::string>& rooms) = 0;
  virtual void disconnect(const Target& target, bool close) = 0;
  // To the other nodes. `done` (may be empty: no answers wanted) has one answer of each.
  virtual void server_side_emit(std::string_view name, const Args& args,
                                std::function<void(std::string_view error, const Args& answers)> done) = 0;
  // A room of this node has its first, or lost its last, socket. For adapters that subscribe room by room.
  virtual void on_room(std::string_view, bool /*exists*/) {}
  // A socket, and with it the room named after it, is here, or is no more.
  virtual void on_socket(std::string_view /*id*/, bool /*here*/) {}

  // Connection state recovery. An adapter that cannot do it keeps these.
  virtual bool appends_offsets() const { return false; }  // then single emits pass through broadcast() too
  // Something that was broadcast has not been delivered here yet: then what must not overtake it goes through
  // in_turn(), which does it behind that; maybe never, if the adapter ends first.
  virtual bool waits() const { return false; }
  virtual void in_turn(std::function<void()> deed) { deed(); }
  virtual void persist(Session) {}
  // Then persist() is also called while a socket lives (Session::live): when it joins, and after each change
  // of its rooms or data (at most every 300 ms); forget() when it has left for good.
  virtual bool saves_early() const { return false; }
  virtual void forget(std::string_view /*pid*/) {}
  virtual void restore(std::string_view /*pid*/, std::string_view /*offset*/,
                       std::function<void(std::optional<Restored>)> done) {
    done(std::nullopt);
  }
};

using Factory = std::function<std::unique_ptr<Adapter>(Host&)>;

}  // namespace limpet::adapter
