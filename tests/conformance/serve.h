// What the servers of this folder have in common: their flags, those of control/flags.mjs, and their run
// until SIGTERM.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "backend/engine/server.h"
#include "backend/http/server.h"
#include "backend/socketio/options.h"
#include "proxy/net/loop.h"

namespace limpet::conformance {

struct Settings {
  std::uint16_t port = 3000;
  socketio::Options options;  // `engine` for all of them
};

// Begins what is to be served; what comes back lives until the end.
using Begin = std::function<std::shared_ptr<void>(net::Loop&, http::Server&, const Settings&)>;

// A whole program: reads the flags, listens on 127.0.0.1 and says so, and serves. Returns main()'s status.
int serve(int argc, char** argv, const char* path, const Begin& begin);

}  // namespace limpet::conformance
