// ClusterServers: three real redis-servers that are one Redis Cluster.
#pragma once

#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/redis/servers.h"

namespace limpet::presence {

class ClusterServers {
 public:
  ClusterServers() {
    std::string create = "redis-cli --cluster create";
    for (int i = 0; i < 3; ++i) {
      servers_.push_back(std::make_unique<redis::Server>(
          std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-port",
                                   std::to_string(redis::free_port()), "--cluster-node-timeout", "2000"}));
      create += " 127.0.0.1:" + std::to_string(servers_.back()->port);
    }
    if (std::system((create + " --cluster-yes >/dev/null 2>&1").c_str()) != 0)
      throw std::runtime_error("there is no cluster");
    for (auto& each : servers_) {
      if (!redis::becomes_so(std::chrono::seconds(20), [&] { return is_whole(*each); }))
        throw std::runtime_error("the cluster is not whole");
    }
  }
  std::string url() const { return "redis+cluster://127.0.0.1:" + std::to_string(servers_.front()->port); }

 private:
  static bool is_whole(redis::Server& server) {
    return server({"CLUSTER", "INFO"}).find("cluster_state:ok") != std::string::npos;
  }
  std::vector<std::unique_ptr<redis::Server>> servers_;
};

}  // namespace limpet::presence
