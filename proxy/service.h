// Service: `limpet run`: one process from a checked configuration to its exit code.
//
// Lives on the main thread, which is the control thread: it owns the control loop, health, admin and the
// workers, and no client. Starting and stopping happen here and nowhere else, in this order:
//   limits, bind, probe all servers, accept ... readiness off, shutdown_delay, listeners closed, requests
//   finish, tunnels closed at an even rate over drain_timeout, the rest, exit.
#pragma once

#include <cstdint>
#include <memory>

#include "proxy/config/config.h"

namespace limpet {

class Service {
 public:
  explicit Service(std::shared_ptr<const config::Config> config);
  ~Service();
  // Returns the exit code: 0 after an orderly shutdown, 1 if it could not start.
  int run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet
