// The node's own pages: GET /health where clients come in, /health and /metrics on the admin address.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "backend/http/server.h"

namespace limpet::app {

// What balancers ask: 200 `ok`, or 503 and why not. `degraded`, without Redis, is 200 unless `strict`:
// clients of this node are served. Whatever else comes to it is not found.
class HealthPage final : public http::Handler {
 public:
  using State = std::function<std::string_view()>;  // "ok", "draining", "full", "degraded"
  explicit HealthPage(State state, bool strict = false) : state_(std::move(state)), strict_(strict) {}
  void on_request(http::Exchange& exchange) override;

 private:
  State state_;
  bool strict_;
};

// On TCP a browser could be made to ask: a request with a foreign Host, an Origin or a cross-site fetch is
// refused.
class AdminPages final : public http::Handler {
 public:
  AdminPages(HealthPage& health, bool on_tcp, std::function<std::string()> metrics)
      : health_(health), metrics_(std::move(metrics)), on_tcp_(on_tcp) {}
  void on_request(http::Exchange& exchange) override;

 private:
  HealthPage& health_;
  std::function<std::string()> metrics_;
  bool on_tcp_;
};

}  // namespace limpet::app
