// UpCommand: `limpet up`: the bundle of proxy, nodes and Redis, from the configuration to the exit code.
#pragma once

#include <string>

namespace limpet {

// `file` empty: no configuration. Main thread.
int run_up(const std::string& file);

}  // namespace limpet
