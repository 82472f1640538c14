// Metrics: what a node counts, as Prometheus reads it, and how late its event loop is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/app/cluster.h"
#include "backend/http/server.h"
#include "backend/raw/endpoint.h"
#include "backend/socketio/server.h"
#include "proxy/net/loop.h"

namespace limpet::app {

// Once a second, how late a timer was: what every client's message waits at the worst.
class LagMeter {
 public:
  explicit LagMeter(net::Loop& loop);
  struct Lag {
    double last_s = 0;
    double most_s = 0;  // since the last call of take()
    std::uint64_t count = 0;
    double sum_s = 0;
    std::vector<std::uint64_t> buckets;  // as kBounds, each without the ones before
  };
  static constexpr double kBounds[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5};
  Lag take();

 private:
  void on_tick();
  net::Timer timer_;
  std::uint64_t due_us_ = 0;
  Lag lag_;
};

struct Counted {
  std::string node_id;
  std::uint32_t max_connections = 0;
  bool draining = false;
  const http::Server& http;
  socketio::Server& io;
  const raw::Endpoint* raw = nullptr;  // null: there is none
  const Cluster* cluster = nullptr;    // likewise
  LagMeter::Lag lag;
};
std::string metrics_text(const Counted& counted);

}  // namespace limpet::app
