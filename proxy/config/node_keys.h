// Every key of [node], once: name, bounds and one line of help, for whoever visits. read_node() visits with a
// TOML table, NodeFlags with a command line.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "proxy/config/config.h"
#include "proxy/config/values.h"

namespace limpet::config {

inline constexpr std::pair<std::string_view, NodeAdapter> kNodeAdapters[] = {
    {"memory", NodeAdapter::memory},
    {"redis", NodeAdapter::redis},
    {"redis_streams", NodeAdapter::redis_streams}};
inline constexpr std::pair<std::string_view, NodeSharded> kNodeShardeds[] = {
    {"off", NodeSharded::off},
    {"static", NodeSharded::static_},
    {"dynamic", NodeSharded::dynamic},
    {"dynamic_private", NodeSharded::dynamic_private}};
inline constexpr std::pair<std::string_view, NodeResponses> kNodeResponses[] = {
    {"shared", NodeResponses::shared}, {"own", NodeResponses::own}};
inline constexpr std::pair<std::string_view, NodeRecoverySave> kNodeRecoverySaves[] = {
    {"disconnect", NodeRecoverySave::disconnect}, {"eager", NodeRecoverySave::eager}};
inline constexpr std::pair<std::string_view, NodeDeflate> kNodeDeflates[] = {
    {"off", NodeDeflate::off}, {"shared", NodeDeflate::shared}, {"dedicated", NodeDeflate::dedicated}};
inline constexpr std::pair<std::string_view, NodeRaw> kNodeRaws[] = {
    {"off", NodeRaw::off}, {"echo", NodeRaw::echo}, {"topics", NodeRaw::topics}};

Value<Endpoint> to_node_listen(std::string_view text);  // as a listener's, no host name
Value<Endpoint> to_node_admin(std::string_view text);   // a Unix socket or loopback
Value<std::string> to_namespace(std::string_view text);
Value<std::string> to_engine_path(std::string_view text);    // "/socket.io/": begins and ends in a slash
Value<std::string> to_folder_or_off(std::string_view text);  // empty: off
Value<std::string> to_origin(std::string_view text);         // "*", "https://example.org"
Value<std::string> to_raw_path(std::string_view text);
Value<std::string> to_cookie_or_off(std::string_view text);  // empty: off
Value<std::string> to_plain_text(std::string_view text);
// Where a secret is, if it does not stand there itself.
inline constexpr std::string_view kFromVariable = "env:", kFromFile = "file:";
// A URL, or where one is: "env:NAME", "file:PATH". No message has the text in it: there may be a password.
Value<std::string> to_redis(std::string_view text);
Value<std::string> to_secret(std::string_view text);        // likewise, of any text
Value<std::string> to_name_with_id(std::string_view text);  // "user:<id>"

template <class E, std::size_t N>
constexpr std::span<const std::pair<std::string_view, E>> words(
    const std::pair<std::string_view, E> (&table)[N]) {
  return table;
}

// What a node is to others, and what it keeps in Redis.
template <class Visitor>
void visit_cluster_keys(Node& n, Visitor& v) {
  using namespace std::chrono_literals;
  v.parsed("channel_prefix", n.channel_prefix, to_plain_text, "TEXT",
           "prefix of channels in Redis (socket.io)");
  v.choice("sharded", n.sharded, words(kNodeShardeds),
           "sharded pub/sub: off, static, dynamic, dynamic_private (off)");
  v.choice("responses", n.responses, words(kNodeResponses),
           "channel of adapter redis' answers: shared, own (shared)");
  v.duration("requests_timeout", n.requests_timeout, 10ms, 1h, "time for answers of other nodes (5s)");
  v.parsed("stream", n.stream, to_plain_text, "NAME", "stream of adapter redis_streams (socket.io)");
  v.integer("stream_count", n.stream_count, 1, 1'000, "streams that namespaces spread over (1)");
  v.integer("stream_max_length", n.stream_max_length, 1, 1'000'000'000, "entries of a stream (10000)");
  v.integer("stream_read_count", n.stream_read_count, 1, 100'000, "entries read at once (100)");
  v.boolean("stream_plaintext", n.stream_plaintext, "binary in the stream as JSON");
  v.parsed("session_key_prefix", n.session_key_prefix, to_plain_text, "TEXT",
           "prefix of saved sessions' keys (sio:session:)");
  v.choice("recovery_save", n.recovery_save, words(kNodeRecoverySaves),
           "when sessions are saved: disconnect, eager (disconnect)");
  v.parsed("redis_ca", n.redis_ca, to_plain_text, "FILE", "PEM, who signs Redis' certificate (the system's)");
  v.parsed("redis_cert", n.redis_cert, to_plain_text, "FILE", "PEM, our certificate for Redis");
  v.parsed("redis_key", n.redis_key, to_plain_text, "FILE", "PEM, its key");
  v.parsed("redis_server_name", n.redis_server_name, to_plain_text, "NAME",
           "name in Redis' certificate (the host of the URL)");
  v.parsed("redis_sentinel_password", n.redis_sentinel_password, to_secret, "TEXT",
           "of sentinels, as env:NAME or file:PATH");
  v.boolean("presence", n.presence, "keep who is connected in Redis (true)");
  v.parsed("presence_connections", n.presence_connections, to_plain_text, "KEY",
           "hash of users' servers (user:connections)");
  v.parsed("presence_user", n.presence_user, to_name_with_id, "KEY", "hash of a user (user:<id>)");
  v.parsed("presence_sockets", n.presence_sockets, to_name_with_id, "KEY",
           "hash of a user's sockets (user:<id>:sockets)");
  v.parsed("presence_nodes", n.presence_nodes, to_plain_text, "KEY", "set of nodes (limpet:nodes)");
  v.boolean("strict_health", n.strict_health, "/health is 503 without Redis");
}

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
  v.boolean("page", n.page, "a page at /: the node, a chat, the cluster");
  v.parsed("redis", n.redis, to_redis, "URL", "joins nodes: a URL, env:NAME or file:PATH with one");
  v.choice("adapter", n.adapter, words(kNodeAdapters),
           "how: memory, redis, redis_streams (redis with --redis, else memory)");
  visit_cluster_keys(n, v);
  v.integer("max_connections", n.max_connections, 1, 10'000'000, "sessions at the most (50000)");
  v.size("max_payload", n.max_payload, 1, 256 * kMiB, "largest message or POST (1000000)");
  v.size("max_queued", n.max_queued, 1024, 1024 * kMiB, "what a slow client may leave unread (16MiB)");
  v.size("max_buffered", n.max_buffered, 16 * kMiB, 1024 * 1024 * kMiB,
         "what all clients may make it hold (512MiB)");
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
  v.choice("deflate", n.deflate, words(kNodeDeflates), "permessage-deflate: off, shared, dedicated (off)");
  v.parsed("jwt_key", n.jwt_key, to_plain_text, "FILE",
           "HS256 secret or RS256 public key: auth.token is needed");
  v.parsed("jwt_issuer", n.jwt_issuer, to_plain_text, "TEXT", "what `iss` is to be");
  v.parsed("jwt_audience", n.jwt_audience, to_plain_text, "TEXT", "what `aud` is to name");
  v.choice("raw", n.raw, words(kNodeRaws), "plain WebSocket endpoint: off, echo, topics (off)");
  v.parsed("raw_path", n.raw_path, to_raw_path, "PATH", "path of that endpoint (/ws)");
  v.size("raw_max_payload", n.raw_max_payload, 1, 64 * kMiB, "largest message there (16KiB)");
  v.duration("raw_idle_timeout", n.raw_idle_timeout, 1s, kDay,
             "time until a silent client there is closed (60s)");
}

}  // namespace limpet::config
