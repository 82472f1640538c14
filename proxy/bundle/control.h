// Control: the bundle's admin requests, in the terms of proxy/admin. What it does not know itself is the
// proxy's, and is handed on to that.
//
//   GET  /bundle             JSON: children, and what an operator asked for
//   POST /bundle/restart     a rolling restart of the nodes
//   POST /bundle/scale/N     N nodes
//
// On the loop's thread. Both POSTs answer at once, 202; how it goes is seen by GET.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "proxy/admin/api.h"
#include "proxy/bundle/pool_admin.h"
#include "proxy/bundle/supervisor.h"

namespace limpet::bundle {

class Control final : public admin::Source {
 public:
  Control(net::Loop& loop, Supervisor& supervisor)
      : supervisor_(supervisor), proxy_(loop, supervisor.proxy_admin()) {}

  bool take(std::string_view method, std::string_view path,
            const std::function<void(admin::Reply)>& then) override;

 private:
  // Never asked: take() has it all.
  bool ready() override { return false; }
  admin::StatusView status() override { return {}; }
  std::vector<admin::Metric> metrics() override { return {}; }
  Found set_draining(std::string_view, std::string_view, bool) override { return Found::no_pool; }

  admin::Reply answer(std::string_view method, std::string_view path);

  Supervisor& supervisor_;
  PoolAdmin proxy_;
};

// What GET /bundle answers. `now_ms` is net::now_ms(). Pure.
std::string overview_json(const Overview& overview, std::uint64_t now_ms);

}  // namespace limpet::bundle
