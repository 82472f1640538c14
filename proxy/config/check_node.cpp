#include "proxy/config/check_node.h"

#include <algorithm>
#include <utility>

#include "proxy/config/node_keys.h"
#include "proxy/config/values.h"

namespace limpet::config {
namespace {

std::string_view without_slash(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

void check_recovery(const Node& node, std::vector<NodeFault>& faults) {
  const bool on = node.recovery.count() > 0;
  if (on && node.joined() == NodeAdapter::redis) {
    faults.push_back({"recovery",
                      "adapter redis keeps no messages that could be missed; write adapter redis_streams, or "
                      "leave it out"});
  }
  if (node.recovery_save != NodeRecoverySave::eager) return;
  if (node.joined() != NodeAdapter::redis_streams)
    faults.push_back({"recovery_save", "\"eager\" is for adapter redis_streams alone"});
  else if (!on)
    faults.push_back({"recovery_save", "\"eager\" saves nothing without recovery; say for how long"});
}

void check_tls(const Node& node, std::vector<NodeFault>& faults) {
  if (node.redis_cert.has_value() != node.redis_key.has_value()) {
    faults.push_back({node.redis_cert ? "redis_cert" : "redis_key",
                      "a certificate and its key go together: redis_cert and redis_key"});
  }
  const bool known =
      node.redis && !node.redis->starts_with(kFromVariable) && !node.redis->starts_with(kFromFile);
  if (!known || node.redis->starts_with("rediss")) return;
  const std::pair<std::string_view, bool> keys[] = {
      {"redis_ca", node.redis_ca.has_value()},
      {"redis_cert", node.redis_cert.has_value()},
      {"redis_server_name", node.redis_server_name.has_value()}};
  for (const auto& [key, set] : keys) {
    if (set) faults.push_back({key, "the URL in redis is not one of TLS; write rediss:// there"});
  }
}

void check_presence(const Node& node, std::vector<NodeFault>& faults) {
  std::vector<std::pair<std::string_view, std::string_view>> names = {
      {"presence_connections", node.presence_connections},
      {"presence_user", node.presence_user},
      {"presence_sockets", node.presence_sockets},
      {"presence_nodes", node.presence_nodes}};
  for (std::size_t i = 1; i < names.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (names[i].second != names[j].second) continue;
      faults.push_back({names[i].first, quoted(names[i].second) + " is what " + std::string(names[j].first) +
                                            " is, too; each needs a key of its own"});
    }
  }
}

void check_cluster(const Node& node, std::vector<NodeFault>& faults) {
  if (node.joined() != NodeAdapter::memory && !node.redis)
    faults.push_back({"adapter", "nodes are joined through Redis; say where it is: redis"});
  if (node.joined() == NodeAdapter::redis_streams && node.sharded != NodeSharded::off &&
      node.sharded != NodeSharded::static_) {
    faults.push_back(
        {"sharded", "adapter redis_streams subscribes to no rooms; write \"static\" or \"off\""});
  }
  check_recovery(node, faults);
  check_tls(node, faults);
  check_presence(node, faults);
}

}  // namespace

std::vector<NodeFault> idle_node_keys(const Node& node) {
  const Node unset;
  const NodeAdapter adapter = node.joined();
  const bool redis = node.redis.has_value(), joined = adapter != NodeAdapter::memory;
  const bool streams = adapter == NodeAdapter::redis_streams, presence = redis && node.presence;
  constexpr std::string_view kRedis = "has no effect without redis; leave it out";
  constexpr std::string_view kJoined = "has no effect with adapter memory; leave it out";
  constexpr std::string_view kStreams = "has no effect without adapter redis_streams; leave it out";
  constexpr std::string_view kPresence = "has no effect without redis and presence; leave it out";
  const struct {
    std::string_view key;
    bool set, works;
    std::string_view why;
  } keys[] = {
      {"channel_prefix", node.channel_prefix != unset.channel_prefix, joined, kJoined},
      {"sharded", node.sharded != unset.sharded, joined, kJoined},
      {"responses", node.responses != unset.responses,
       adapter == NodeAdapter::redis && node.sharded == NodeSharded::off,
       "has no effect without adapter redis, or with sharded; leave it out"},
      {"requests_timeout", node.requests_timeout != unset.requests_timeout, joined, kJoined},
      {"stream", node.stream != unset.stream, streams, kStreams},
      {"stream_count", node.stream_count != unset.stream_count, streams, kStreams},
      {"stream_max_length", node.stream_max_length != unset.stream_max_length, streams, kStreams},
      {"stream_read_count", node.stream_read_count != unset.stream_read_count, streams, kStreams},
      {"stream_plaintext", node.stream_plaintext, streams, kStreams},
      {"session_key_prefix", node.session_key_prefix != unset.session_key_prefix, streams, kStreams},
      {"redis_ca", node.redis_ca.has_value(), redis, kRedis},
      {"redis_cert", node.redis_cert.has_value(), redis, kRedis},
      {"redis_key", node.redis_key.has_value(), redis, kRedis},
      {"redis_server_name", node.redis_server_name.has_value(), redis, kRedis},
      {"redis_sentinel_password", node.redis_sentinel_password.has_value(), redis, kRedis},
      {"presence_connections", node.presence_connections != unset.presence_connections, presence, kPresence},
      {"presence_user", node.presence_user != unset.presence_user, presence, kPresence},
      {"presence_sockets", node.presence_sockets != unset.presence_sockets, presence, kPresence},
      {"presence_nodes", node.presence_nodes != unset.presence_nodes, presence, kPresence},
      {"strict_health", node.strict_health, redis, kRedis},
  };
  std::vector<NodeFault> idle;
  for (const auto& each : keys) {
    if (each.set && !each.works) idle.push_back({each.key, std::string(each.why)});
  }
  return idle;
}

std::vector<NodeFault> check_node(const Node& node) {
  std::vector<NodeFault> faults;
  // A namespace that is served twice would do everything twice.
  std::vector<std::string> names = node.namespaces;
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
    faults.push_back({"namespaces", quoted(*twice) + " is there twice; leave one out"});
  if (node.page && std::ranges::find(names, "/") == names.end())
    faults.push_back({"page", "its clients are in namespace \"/\"; add that to namespaces"});
  if (node.page && node.jwt_key)
    faults.push_back({"page", "it has no token to show, and jwt_key asks for one; leave one of them out"});
  if (node.page && without_slash(node.path).empty())
    faults.push_back({"page", "\"/\" is taken by path; write another path, as \"/socket.io\""});
  if (names.empty()) faults.push_back({"namespaces", "none would be served; write \"/\""});
  // One client that may have most of it would cost the others their sessions.
  if (std::max(node.max_queued, node.max_payload) > node.max_buffered / 4)
    faults.push_back(
        {"max_buffered",
         "this is for all clients together; it needs four times max_queued and four times max_payload"});
  // Requests go to one of both.
  if (node.raw != NodeRaw::off && without_slash(node.raw_path) == without_slash(node.path))
    faults.push_back(
        {"raw_path", quoted(node.raw_path) + " is where Socket.IO is; write another, as \"/ws\""});
  if (node.cors_credentials && std::ranges::find(node.cors_origins, "*") != node.cors_origins.end()) {
    faults.push_back(
        {"cors_credentials",
         "browsers refuse cookies where every origin may ask; name the origins in cors_origins"});
  }
  check_cluster(node, faults);
  return faults;
}

}  // namespace limpet::config
