#include "tests/bench/load/run.h"

#include <cstdio>
#include <map>
#include <stdexcept>

#include "tests/bench/load/modes.h"

namespace limpet::bench {
namespace {

struct Mode {
  void (*run)(Load&);
  std::uint32_t sockets;
  std::uint64_t size;
  std::uint32_t in_flight;
  double waits;  // of --seconds, in all
};

constexpr std::uint64_t kMessage = 512, kLargeBody = 100 * 1024 * 1024;

const std::map<std::string, Mode> kModes = {
    {"echo", {run_echo, 50, kMessage, 1, 1}},
    {"paced", {run_paced, 50, kMessage, 1, 1}},
    {"push", {run_push, 50, 64, 1, 1}},
    {"upgrade", {run_upgrade, 1, kMessage, 32, 1}},
    {"tls-handshake", {run_upgrade, 1, kMessage, 32, 1}},
    {"storm", {run_storm, 1000, kMessage, 1, 1}},
    {"get", {run_get, 50, 200, 1, 1}},
    {"get-close", {run_get_close, 50, 200, 1, 1}},
    {"download", {run_download, 1, kLargeBody, 1, 1}},
    {"upload", {run_upload, 1, kLargeBody, 1, 1}},
    {"idle", {run_idle, 1000, kMessage, 1, 4}},
    {"keepalive-idle", {run_keepalive_idle, 1000, kMessage, 1, 2}},
    {"io-echo", {run_io_echo, 50, kMessage, 1, 1}},
    {"io-fanout", {run_io_fanout, 1000, 64, 1, 1}},
    {"io-publish", {run_io_publish, 1, 64, 1, 1}},
    {"io-connect", {run_io_connect, 1, kMessage, 32, 1}},
    {"io-polling", {run_io_polling, 1, kMessage, 32, 1}},
    {"io-idle", {run_io_idle, 1000, kMessage, 1, 4}},
    {"io-pings", {run_io_pings, 1000, kMessage, 1, 1}},
};

RunOptions completed(RunOptions options, const Mode& mode) {
  if (options.sockets == 0) options.sockets = mode.sockets;
  if (options.size == 0) options.size = mode.size;
  if (options.in_flight == 0) options.in_flight = mode.in_flight;
  if (options.limit == 0) {
    options.limit = options.wait_ready + mode.waits * options.cycles * options.seconds + options.warm_up + 30;
  }
  options.tls = options.tls || options.mode == "tls-handshake";
  return options;
}

// Descriptors are one a connection; those of the proxy are its own affair.
void check_descriptors(const RunOptions& options, std::size_t allowed) {
  const std::size_t needed = std::size_t{options.sockets} + options.in_flight + 16;
  if (needed <= allowed) return;
  throw std::runtime_error(std::to_string(needed) + " descriptors are needed, " + std::to_string(allowed) +
                           " are allowed (ulimit -Hn)");
}

}  // namespace

const std::vector<std::string>& run_modes() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, mode] : kModes) all.push_back(name);
    return all;
  }();
  return names;
}

int run(const RunOptions& given) {
  const std::size_t descriptors = raise_descriptor_limit();
  const Mode& mode = kModes.at(given.mode);
  Load load(completed(given, mode));
  try {
    check_descriptors(load.options(), descriptors);
    if (given.wait_ready > 0) wait_until_ready(load);
    mode.run(load);
  } catch (const std::exception& problem) {
    load.error(problem.what());
    if (load.measuring()) load.end_window();
  }
  load.check_units();
  std::printf("%s\n", load.report().c_str());
  return load.errors() == 0 ? 0 : 1;
}

}  // namespace limpet::bench
