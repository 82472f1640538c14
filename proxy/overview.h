// Overview: the process as admin sees it: copies of figures, and the two things that an operator may ask.
// Control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "health/monitor.h"
#include "proxy/admin/api.h"
#include "proxy/config/snapshot.h"
#include "proxy/session/worker.h"
#include "routing/sid_table.h"

namespace limpet {

class Overview final : public admin::Source {
 public:
  struct Parts {
    const std::shared_ptr<const config::Snapshot>& snapshot;  // the present one
    const std::vector<std::unique_ptr<session::Worker>>& workers;
    const session::Shared& shared;
    const routing::SidTable& sids;
    health::Monitor& monitor;
    std::function<std::string_view()> stage;
  };
  explicit Overview(Parts parts);

  bool ready() override;
  admin::StatusView status() override;
  std::vector<admin::Metric> metrics() override;
  Found set_draining(std::string_view pool, std::string_view server, bool draining) override;

 private:
  Parts parts_;
  std::uint64_t started_ms_;
};

}  // namespace limpet
