// OneServer: a real server, on a Unix socket and a port, for each test.
#pragma once

#include <memory>

#include "tests/unit/redis/world.h"

namespace limpet::redis {

struct OneServer : World {
  std::unique_ptr<Server> server;
  void SetUp() override {
    World::SetUp();
    if (!HasFatalFailure()) server = std::make_unique<Server>();
  }
};

}  // namespace limpet::redis
