// Meter: once a second, what the proxy counts as connections and the nodes as messages.
//
// On the loop's thread. Asks over the admin sockets; who does not answer has no reading.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/bundle/ask.h"
#include "proxy/bundle/overview.h"
#include "proxy/bundle/table.h"

namespace limpet::bundle {

// Of the proxy's GET /status: by server of the bundle's pool, and of "proxy" itself; empty if that is not
// what it is. Pure.
std::map<std::string, std::uint64_t, std::less<>> read_connections(std::string_view status);
// Of a node's GET /metrics: what it has received and delivered. Pure.
std::optional<double> read_messages(std::string_view metrics);

class Meter {
 public:
  Meter(net::Loop& loop, std::function<Overview()> look, std::function<void()> then);
  const Readings& readings() const { return readings_; }

 private:
  void on_tick();
  void ask(const ChildView& child);
  void on_proxy(std::string_view status);
  void on_node(const std::string& id, pid_t pid, const Ask::Answer& answer);

  struct Count {
    pid_t pid = 0;  // whose: a new process counts from 0
    double messages = 0;
    std::uint64_t at_ms = 0;
  };
  net::Loop& loop_;
  const std::function<Overview()> look_;
  const std::function<void()> then_;
  Readings readings_;
  std::map<std::string, Count> counts_;
  std::map<std::string, std::unique_ptr<Ask>> asks_;  // by whom they are to
  net::Timer tick_;
};

}  // namespace limpet::bundle
