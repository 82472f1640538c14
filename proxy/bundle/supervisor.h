// Supervisor: the bundle's children in their order: Redis, the nodes, the proxy; at the end the other way
// round.
//
// On the main thread and its loop: it forks, and parent-death signals are tied to the thread that did. Its
// owner hands it SIGCHLD as reap() and outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "proxy/bundle/blueprint.h"
#include "proxy/bundle/overview.h"
#include "proxy/bundle/runtime_folder.h"
#include "proxy/net/loop.h"

namespace limpet::bundle {

class Supervisor {
 public:
  struct Settings {
    std::vector<std::uint16_t> ports;     // a node each; 0: a Unix socket
    std::uint64_t shutdown_delay_ms = 0;  // of the proxy: it goes on accepting for so long
  };
  Supervisor(net::Loop& loop, const RuntimeFolder& folder, const Blueprint& blueprint, Settings settings,
             Observer& observer);
  ~Supervisor();

  // Writes the files and starts. What was wrong, or empty.
  std::string start();
  // The proxy stops accepting, the nodes end their sessions through it, Redis is last: Observer::on_end().
  void stop();
  void force();                 // all of them at once
  void reap();                  // SIGCHLD came
  void signal_all(int number);  // to the programs of ours, as SIGUSR1 is for their logs
  Overview overview() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::bundle
