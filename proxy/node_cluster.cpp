#include "proxy/node_cluster.h"

#include <utility>

#include "proxy/secrets.h"

namespace limpet {
namespace {

using config::NodeAdapter;
using config::NodeSharded;

cluster::SubscriptionMode mode_of(NodeSharded sharded) {
  switch (sharded) {
    case NodeSharded::static_: return cluster::SubscriptionMode::static_;
    case NodeSharded::dynamic_private: return cluster::SubscriptionMode::dynamic_private;
    default: return cluster::SubscriptionMode::dynamic;
  }
}

cluster::StreamsSettings streams_settings(const config::Node& node) {
  cluster::StreamsSettings out;
  out.stream = node.stream;
  out.stream_count = node.stream_count;
  out.channel_prefix = node.channel_prefix;
  out.sharded_pubsub = node.sharded != NodeSharded::off;
  out.max_length = node.stream_max_length;
  out.read_count = node.stream_read_count;
  out.session_key_prefix = node.session_key_prefix;
  out.only_plaintext = node.stream_plaintext;
  out.requests_timeout_ms = config::ms(node.requests_timeout);
  if (node.recovery.count() > 0) out.max_disconnection_ms = config::ms(node.recovery);
  out.eager = node.recovery_save == config::NodeRecoverySave::eager;
  return out;
}

app::ClusterSettings::Join join_of(const config::Node& node) {
  if (node.joined() == NodeAdapter::memory) return {};
  if (node.joined() == NodeAdapter::redis_streams) {
    return [settings = streams_settings(node)](redis::Redis& redis, const cluster::Tally& tally,
                                               std::function<void(std::string_view)> warn) mutable {
      settings.on_warning = std::move(warn);
      return cluster::streams(redis, settings, tally);
    };
  }
  if (node.sharded != NodeSharded::off) {
    const cluster::ShardedSettings settings{.channel_prefix = node.channel_prefix,
                                            .mode = mode_of(node.sharded),
                                            .requests_timeout_ms = config::ms(node.requests_timeout)};
    return [settings](redis::Redis& redis, const cluster::Tally& tally, const auto&) {
      return cluster::sharded(redis, settings, tally);
    };
  }
  const cluster::ClassicSettings settings{
      .key = node.channel_prefix,
      .requests_timeout_ms = config::ms(node.requests_timeout),
      .publish_on_specific_response_channel = node.responses == config::NodeResponses::own};
  return [settings](redis::Redis& redis, const cluster::Tally& tally, const auto&) {
    return cluster::classic(redis, settings, tally);
  };
}

}  // namespace

std::variant<std::optional<app::ClusterSettings>, std::string> to_cluster(const config::Node& node) {
  if (!node.redis) return std::nullopt;
  const auto url = read_secret(*node.redis);
  if (const auto* no = std::get_if<Unreadable>(&url)) return "redis: " + no->why;
  auto parsed = redis::parse_url(std::get<std::string>(url));
  if (const auto* why = std::get_if<std::string>(&parsed)) return "redis: " + *why;
  app::ClusterSettings out;
  out.redis = std::move(std::get<redis::Settings>(parsed));
  if (node.redis_sentinel_password) {
    auto password = read_secret(*node.redis_sentinel_password);
    if (const auto* no = std::get_if<Unreadable>(&password)) return "redis_sentinel_password: " + no->why;
    out.redis.sentinel_password = std::move(std::get<std::string>(password));
  }
  redis::Tls& tls = out.redis.tls;
  if (!tls.on && (node.redis_ca || node.redis_cert || node.redis_server_name))
    return std::string(
        "redis: the URL is not one of TLS (rediss://), but redis_ca or others of TLS are there");
  tls.ca_file = node.redis_ca.value_or("");
  tls.cert_file = node.redis_cert.value_or("");
  tls.key_file = node.redis_key.value_or("");
  tls.server_name = node.redis_server_name.value_or("");
  if (const auto wrong = redis::check_tls(tls)) return "redis: " + *wrong;
  out.join = join_of(node);
  if (node.presence) {
    out.presence = presence::NameSettings{.connections = node.presence_connections,
                                          .user = node.presence_user,
                                          .sockets = node.presence_sockets,
                                          .nodes = node.presence_nodes};
  }
  out.strict_health = node.strict_health;
  return out;
}

}  // namespace limpet
