// Views: what admin shows, as plain values. Filled by the process on the control thread; admin sees nothing
// else.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limpet::admin {

struct ServerView {
  std::string id;
  std::vector<std::string> addresses;
  std::string state;   // up, suspect, refusing, down: health's word
  std::string wanted;  // serving, draining, maintenance: the operator's
  std::string reason;  // why it is in this state
  std::uint64_t state_for_ms = 0;
  std::uint32_t weight = 1;
  bool backup = false;
  std::uint32_t max_connections = 0;
  std::uint32_t requests = 0;  // in flight
  std::uint32_t tunnels = 0;   // open
  std::uint64_t requests_total = 0;
  std::uint64_t tunnels_total = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

struct PoolView {
  std::string name;
  std::vector<ServerView> servers;
};

struct StatusView {
  std::string version;
  std::uint64_t uptime_ms = 0;
  std::string stage;  // starting, serving, draining
  bool ready = false;
  std::uint32_t workers = 0;
  std::uint32_t connections = 0;
  std::uint32_t max_connections = 0;
  std::uint64_t requests_total = 0;
  std::uint64_t sids_learned = 0;
  std::uint64_t sids_on_probation = 0;
  std::uint64_t sids_most = 0;
  std::vector<PoolView> pools;
};

// One sample of a metric with its labels.
struct Sample {
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

struct Metric {
  enum class Type : std::uint8_t { counter, gauge } type = Type::counter;
  std::string name;  // limpet_...
  std::string help;
  std::vector<Sample> samples;
};

}  // namespace limpet::admin
