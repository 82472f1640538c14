// Supervisor: the bundle's children in their order: Redis, the nodes, the proxy; at the end the other way
// round.
//
// On the main thread and its loop: it forks, and parent-death signals are tied to the thread that did. Its
// owner hands it SIGCHLD as reap() and outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/bundle/blueprint.h"
#include "proxy/bundle/overview.h"
#include "proxy/bundle/runtime_folder.h"
#include "proxy/net/loop.h"

namespace limpet::bundle {

class Supervisor {
 public:
  struct Settings {
    std::uint32_t nodes = 2;
    std::function<std::optional<std::uint16_t>(std::uint32_t number)> port;  // of the n-th node, from 1
    std::uint64_t shutdown_delay_ms = 0;  // of the proxy: it goes on accepting for so long
  };
  Supervisor(net::Loop& loop, const RuntimeFolder& folder, const Blueprint& blueprint, Settings settings,
             Observer& observer);
  ~Supervisor();

  // Writes the files and starts. What was wrong, or empty.
  std::string start();
  // The proxy stops accepting, the nodes end their sessions through it, Redis is last: Observer::on_end().
  void stop();
  void force();                     // all of them at once
  void reap();                      // SIGCHLD came
  void reopen_logs();               // of the proxy, which may have an access log of its own
  std::string why_not_now() const;  // why no operation can begin; empty: it can
  std::string tell_proxy();         // what the blueprint says by now; what was wrong, or empty
  // Node by node, or to another number of them. Why not now, or empty; how it goes is in overview().
  std::string restart();
  std::string scale(std::uint32_t nodes);
  Overview overview() const;
  const config::Endpoint& proxy_admin() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::bundle
