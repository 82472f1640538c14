// Every key of [node], once: name, bounds and one line of help, for whoever visits. read_node() visits with a
// TOML table, NodeFlags with a command line.
#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "proxy/config/config.h"
#include "proxy/config/values.h"

namespace limpet::config {

inline constexpr std::pair<std::string_view, NodeAdapter> kNodeAdapters[] = {{"memory", NodeAdapter::memory}};
inline constexpr std::pair<std::string_view, NodeDeflate> kNodeDeflates[] = {
    {"off", NodeDeflate::off}, {"shared", NodeDeflate::shared}, {"dedicated", NodeDeflate::dedicated}};
inline constexpr std::pair<std::string_view, NodeRaw> kNodeRaws[] = {
    {"off", NodeRaw::off}, {"echo", NodeRaw::echo}, {"topics", NodeRaw::topics}};

// A word of the design that no code serves yet.
inline bool is_planned(std::string_view key, std::string_view word) {
  return key == "adapter" && (word == "redis" || word == "redis_streams");
}

Value<Endpoint> to_node_listen(std::string_view text);  // as a listener's, no host name
Value<Endpoint> to_node_admin(std::string_view text);   // a Unix socket or loopback
Value<std::string> to_namespace(std::string_view text);
Value<std::string> to_engine_path(std::string_view text);    // "/socket.io/": begins and ends in a slash
Value<std::string> to_folder_or_off(std::string_view text);  // empty: off
Value<std::string> to_origin(std::string_view text);         // "*", "https://example.org"
Value<std::string> to_raw_path(std::string_view text);
Value<std::string> to_cookie_or_off(std::string_view text);  // empty: off
Value<std::string> to_plain_text(std::string_view text);

template <class Visitor>
void visit_node_keys(Node& n, Visitor& v) {
  using namespace std::chrono_literals;
  constexpr Duration kDay = 24h;
  constexpr std::uint64_t kMiB = 1 << 20;
  v.parsed("listen", n.listen, to_node_listen, "ADDRESS", "where clients come in (127.0.0.1:3000)");
  v.parsed("id", n.id, to_server_id, "ID", "this node's id, as the proxy knows it (the listen address)");
  v.parsed("admin", n.admin, to_node_admin, "ADDRESS", "metrics and health, unix:/path or loopback");
  v.list("namespaces", n.namespaces, to_namespace, "NAME", "namespaces that are served (/)");
  v.parsed("path", n.path, to_engine_path, "PATH", "path of Socket.IO (/socket.io/)");
  v.parsed("serve_client", n.serve_client, to_folder_or_off, "DIR",
           "serve the official client from this folder, or off (off)");
  v.choice("adapter", n.adapter, std::span<const std::pair<std::string_view, NodeAdapter>>(kNodeAdapters),
           "how nodes are joined (memory)");
  v.integer("max_connections", n.max_connections, 1, 10'000'000, "sessions at the most (50000)");
  v.size("max_payload", n.max_payload, 1, 256 * kMiB, "largest message or POST (1000000)");
  v.size("max_queued", n.max_queued, 1024, 1024 * kMiB, "what a slow client may leave unread (16MiB)");
  v.integer("rooms_per_socket", n.rooms_per_socket, 1, 1'000'000, "rooms of one socket (10000)");
  v.integer("events_per_second", n.events_per_second, 0, 1'000'000, "events of one client, 0: no bound (0)");
  v.duration("ping_interval", n.ping_interval, 10ms, kDay, "time between heartbeats (25s)");
  v.duration("ping_timeout", n.ping_timeout, 10ms, kDay, "time for their answers (20s)");
  v.duration("connect_timeout", n.connect_timeout, 10ms, kDay, "time for the first namespace (45s)");
  v.duration("drain_window", n.drain_window, 0ms, kDay, "time over which sessions end at SIGTERM (30s)");
  v.duration("recovery", n.recovery, 0ms, kDay, "how long a lost session is kept, 0s: not (0s)");
  v.list("cors_origins", n.cors_origins, to_origin, "ORIGIN",
         "pages of other origins that may ask; * for all");
  v.boolean("cors_credentials", n.cors_credentials, "let those pages send cookies");
  v.parsed("cookie", n.cookie, to_cookie_or_off, "NAME", "affinity cookie NAME=ID, or off (off)");
  v.boolean("allow_eio3", n.allow_eio3, "serve Socket.IO 2.x clients");
  v.boolean("http_compression", n.http_compression, "compress long polls (true)");
  v.choice("deflate", n.deflate, std::span<const std::pair<std::string_view, NodeDeflate>>(kNodeDeflates),
           "permessage-deflate: off, shared, dedicated (off)");
  v.parsed("jwt_key", n.jwt_key, to_plain_text, "FILE",
           "HS256 secret or RS256 public key: auth.token is needed");
  v.parsed("jwt_issuer", n.jwt_issuer, to_plain_text, "TEXT", "what `iss` is to be");
  v.parsed("jwt_audience", n.jwt_audience, to_plain_text, "TEXT", "what `aud` is to name");
  v.choice("raw", n.raw, std::span<const std::pair<std::string_view, NodeRaw>>(kNodeRaws),
           "plain WebSocket endpoint: off, echo, topics (off)");
  v.parsed("raw_path", n.raw_path, to_raw_path, "PATH", "path of that endpoint (/ws)");
  v.size("raw_max_payload", n.raw_max_payload, 1, 64 * kMiB, "largest message there (16KiB)");
  v.duration("raw_idle_timeout", n.raw_idle_timeout, 1s, kDay,
             "time until a silent client there is closed (60s)");
}

}  // namespace limpet::config
