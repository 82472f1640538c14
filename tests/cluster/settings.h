// What a node of these clusters takes on its command line; node.mjs has the same flags.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "backend/cluster/cluster.h"
#include "backend/redis/settings.h"
#include "backend/socketio/options.h"

namespace limpet::cluster_test {

struct Settings {
  std::string id = "limpet";
  std::string adapter = "classic";  // classic, sharded or streams
  std::vector<std::string> namespaces;
  redis::Settings redis;
  cluster::ClassicSettings classic;
  cluster::ShardedSettings sharded;
  cluster::StreamsSettings streams;
  socketio::Options options;  // without an adapter
};

// The settings, or main()'s status.
std::variant<Settings, int> read_flags(int argc, char** argv);

adapter::Factory make_adapter(redis::Redis& redis, const Settings& settings, const cluster::Tally& tally);

}  // namespace limpet::cluster_test
