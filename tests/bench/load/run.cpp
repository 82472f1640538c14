#include "tests/bench/load/run.h"

#include <cstdio>
#include <map>
#include <stdexcept>

#include "tests/bench/load/modes.h"

namespace limpet::bench {
namespace {

const std::map<std::string, void (*)(Load&)> kModes = {
    {"echo", run_echo},
};

}  // namespace

const std::vector<std::string>& run_modes() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, run] : kModes) all.push_back(name);
    return all;
  }();
  return names;
}

int run(const RunOptions& options) {
  const std::size_t descriptors = raise_descriptor_limit();
  Load load(options);
  if (descriptors < options.sockets + 16) {
    load.error("only " + std::to_string(descriptors) + " descriptors are allowed (ulimit -n)");
  } else {
    try {
      kModes.at(options.mode)(load);
    } catch (const std::exception& problem) {
      load.error(problem.what());
    }
  }
  std::printf("%s\n", load.report().c_str());
  return load.errors() == 0 ? 0 : 1;
}

}  // namespace limpet::bench
