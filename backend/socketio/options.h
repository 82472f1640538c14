// Options of a socketio::Server, with Socket.IO's defaults, and what it bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "backend/adapter/adapter.h"
#include "backend/engine/server.h"

namespace limpet::socketio {

// Connection state recovery: a client that comes back in time finds its id, rooms, data and what it has
// missed.
struct Recovery {
  bool enabled = false;
  std::uint64_t max_disconnection_ms = 120'000;
  bool skip_middlewares = true;
  // What the in-memory adapter keeps of each namespace; the oldest goes first.
  std::size_t max_packets = 100'000;
  std::size_t max_bytes = 64 * 1024 * 1024;
  std::size_t max_sessions = 50'000;
  std::size_t max_session_bytes = 64 * 1024 * 1024;  // rooms and data of sessions
};

// What one client may ask for. 0: no bound. Socket.IO itself has none of these but `attachments`.
struct Limits {
  std::uint32_t rooms_per_socket = 10'000;  // join() is refused beyond it; a socket's own room is not counted
  // Of one connection, events and acks, bursts of a second's worth. More: it is read no faster than that,
  // which its TCP connection or its POST hands back to it; nothing is lost. What it has sent beyond that
  // stands before its heartbeats: who is ahead by more than ping_timeout is closed as silent.
  std::uint32_t events_per_second = 0;
  std::uint32_t pending_acks = 10'000;        // of one socket: emit_with_ack() beyond it fails at once
  std::uint32_t namespaces_per_client = 100;  // joined or being joined; more: closed
  std::uint32_t auth_bytes = 64 * 1024;       // of a CONNECT, which a socket keeps; more: closed
  std::uint32_t dynamic_namespaces = 10'000;  // children in all; more: "Invalid namespace"
  std::uint32_t json_depth = 64;              // arrays and objects within each other; more: closed
  // Both ways, as socket.io-parser has it. Each that is awaited has ping_interval and ping_timeout to come: a
  // connection that needs longer for one message fails its heartbeat, too. Else: closed, as for what cannot
  // be read.
  std::uint32_t attachments = 10;
};

struct Options {
  engine::Options engine;  // path, heartbeat, payload limits, sids, CORS
  // A folder with the official client's bundles, as node_modules/socket.io-client/dist: they are served below
  // the path (client_files.h). Empty: they are not. The Server throws std::runtime_error if there is none.
  std::string serve_client;
  // Asked of each request that would begin a session (Socket.IO's allowRequest): what it returns is told to
  // who is refused; an empty text, or an exception, means `Forbidden`.
  std::function<std::optional<std::string>(const wire::RequestHead&, const net::Address& peer)> forbid;
  std::uint64_t connect_timeout_ms = 45'000;  // for the first namespace, from Engine.IO's opening
  Recovery recovery;
  bool cleanup_empty_child_namespaces = false;
  Limits limits;
  // Makes each namespace's adapter. Unset: the in-memory one.
  adapter::Factory adapter;
  // Told of exceptions that leave handlers, with the event's or step's name. The message is dropped, nothing
  // else ends. Unset: they are written to stderr.
  std::function<void(std::string_view where, std::string_view what)> on_exception;
};

}  // namespace limpet::socketio
