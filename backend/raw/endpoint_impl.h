// The inside of Endpoint. Included by raw's .cpp files alone.
#pragma once

#include <string>
#include <vector>

#include "backend/raw/connection.h"
#include "backend/raw/endpoint.h"
#include "backend/raw/topics.h"
#include "backend/ws/hub.h"
#include "proxy/net/loop.h"

namespace limpet::raw {

struct Endpoint::Impl final : budget::Spender {
  Impl(net::Loop& its_loop, const Options& its_options);
  ~Impl();

  void on_request(http::Exchange& exchange);
  void accept(http::Exchange& exchange);
  void forget(Connection& connection);  // deletes it
  void drain(std::uint64_t window_ms);
  void on_drain_tick();
  void weigh(budget::Census& census) const override;
  void evict(budget::Eviction& eviction) override;
  bool full() {
    return connections.size() >= options.max_connections || (budget != nullptr && budget->tight());
  }

  net::Loop& loop;
  const Options options;
  ws::Hub hub;
  Topics topics;
  std::vector<Connection*> connections;  // each knows its place
  Totals totals;
  budget::Budget* budget = nullptr;
  net::Timer drain_tick;
  std::uint64_t drain_until_ms = 0;
  std::size_t untold = 0;
  bool refuses = false;
};

}  // namespace limpet::raw
