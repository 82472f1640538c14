#include "tests/cluster/settings.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <variant>

namespace limpet::cluster_test {
namespace {

struct Words {
  std::string redis, mode = "dynamic", key = "socket.io";
  std::uint64_t recovery_ms = 0;
};

void declare(CLI::App& app, Settings& settings, Words& words) {
  app.add_option("--id", settings.id);
  app.add_option("--redis", words.redis)->required();
  app.add_option("--adapter", settings.adapter)->check(CLI::IsMember({"classic", "sharded", "streams"}));
  app.add_option("--mode", words.mode)->check(CLI::IsMember({"static", "dynamic", "dynamic-private"}));
  app.add_option("--key", words.key, "prefix of channels");
  app.add_flag("--specific", settings.classic.publish_on_specific_response_channel);
  app.add_option("--stream", settings.streams.stream);
  app.add_option("--stream-count", settings.streams.stream_count);
  app.add_option("--max-length", settings.streams.max_length);
  app.add_flag("--sharded-pubsub", settings.streams.sharded_pubsub);
  app.add_flag("--plaintext", settings.streams.only_plaintext);
  app.add_option("--recovery", words.recovery_ms, "how long a session is kept; 0: not at all");
  app.add_flag("--eager", settings.streams.eager);
  app.add_option("--namespace", settings.namespaces)->allow_extra_args(false);
}

void apply(const Words& words, Settings& settings) {
  using enum cluster::SubscriptionMode;
  settings.classic.key = words.key;
  settings.sharded.channel_prefix = words.key;
  settings.streams.channel_prefix = words.key;
  settings.sharded.mode = std::map<std::string, cluster::SubscriptionMode>{
      {"static", static_},
      {"dynamic", dynamic},
      {"dynamic-private",
       dynamic_private}}.at(words.mode);
  settings.streams.max_disconnection_ms = words.recovery_ms;
  settings.options.recovery.enabled = words.recovery_ms > 0;
  if (words.recovery_ms > 0) settings.options.recovery.max_disconnection_ms = words.recovery_ms;
  settings.streams.on_warning = [](std::string_view what) {
    std::fprintf(stderr, "warning: %.*s\n", static_cast<int>(what.size()), what.data());
  };
}

}  // namespace

std::variant<Settings, int> read_flags(int argc, char** argv) {
  Settings settings;
  settings.options.engine.path = "/socket.io/";
  Words words;
  CLI::App app;
  declare(app, settings, words);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  apply(words, settings);
  settings.options.engine.node_id = settings.id;
  std::variant<redis::Settings, std::string> redis = redis::parse_url(words.redis);
  if (const auto* wrong = std::get_if<std::string>(&redis)) {
    std::fprintf(stderr, "--redis: %s\n", wrong->c_str());
    return 2;
  }
  settings.redis = std::move(std::get<redis::Settings>(redis));
  return settings;
}

adapter::Factory make_adapter(redis::Redis& redis, const Settings& settings, const cluster::Tally& tally) {
  if (settings.adapter == "classic") return cluster::classic(redis, settings.classic, tally);
  if (settings.adapter == "sharded") return cluster::sharded(redis, settings.sharded, tally);
  return cluster::streams(redis, settings.streams, tally);
}

}  // namespace limpet::cluster_test
