// ClusterServers: real redis-servers that are one Redis Cluster.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/redis/servers.h"

namespace limpet::redis {

class ClusterServers {
 public:
  // `node_timeout_ms`: so long a silent one is waited for before its replica takes over.
  explicit ClusterServers(int count = 3, int replicas = 0, int node_timeout_ms = 2'000) {
    std::vector<std::string> words{"redis-cli", "--cluster", "create"};
    for (int i = 0; i < count; ++i) {
      all.push_back(std::make_unique<Server>(std::vector<std::string>{
          "--cluster-enabled", "yes", "--cluster-port", std::to_string(free_port()), "--cluster-node-timeout",
          std::to_string(node_timeout_ms), "--cluster-replica-validity-factor", "0"}));
      words.push_back("127.0.0.1:" + std::to_string(all.back()->port));
    }
    for (const char* each : {"--cluster-yes", "--cluster-replicas"}) words.emplace_back(each);
    words.push_back(std::to_string(replicas));
    if (Process(words).wait() != 0) throw std::runtime_error("there is no cluster");
    for (const auto& each : all) {
      if (!becomes_so(std::chrono::seconds(20), [&] { return is_whole(*each); }))
        throw std::runtime_error("the cluster is not whole");
    }
  }

  std::string url(std::size_t seed = 0) const {
    return "redis+cluster://127.0.0.1:" + std::to_string(all[seed]->port);
  }
  static bool owns(Server& server, const std::string& key) {
    const std::string said = server({"EXISTS", key});
    return said == "0" || said == "1";
  }
  Server& owner_of(const std::string& key) {
    for (const auto& each : all) {
      if (owns(*each, key)) return *each;
    }
    throw std::runtime_error("no owner");
  }

  std::vector<std::unique_ptr<Server>> all;

 private:
  static bool is_whole(Server& server) { return server({"CLUSTER", "INFO"}).starts_with("cluster_state:ok"); }
};

}  // namespace limpet::redis
