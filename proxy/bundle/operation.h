// Operation: what an operator asked for that takes its time: a rolling restart, or another number of nodes.
//
// One at a time, owned by the Supervisor, which tells it of every change of a child and once in a while that
// time has passed. On the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/bundle/child.h"
#include "proxy/bundle/pool_admin.h"

namespace limpet::bundle {

// What an operation may do to the bundle.
class Fleet {
 public:
  virtual ~Fleet() = default;
  virtual net::Loop& loop() = 0;
  virtual const config::Endpoint& proxy_admin() = 0;
  virtual std::vector<Child*> nodes() = 0;    // in order
  virtual Child* add_node() = 0;              // the next one, not started; null: there is no port for it
  virtual void remove_node(Child& node) = 0;  // it is stopped
  // It gets sessions again, once it is ready and nothing is under way.
  virtual void give_back(Child& node) = 0;
  virtual bool owes(const Child& node) const = 0;  // that is still to be done
  virtual std::string tell_proxy() = 0;            // which nodes there are; what was wrong, or empty
};

class Operation {
 public:
  using Done = std::function<void(const std::string& wrong)>;  // empty: it went well

  virtual ~Operation() = default;
  virtual void start() = 0;
  virtual void on_change() = 0;  // of a child; from the loop, not from within a child
  virtual std::string_view name() const = 0;
  virtual std::uint32_t done() const = 0;  // nodes that are through
  virtual std::uint32_t of() const = 0;
};

// Node by node: no new sessions for it, nor for the next in line if others are left; its sessions are closed
// so that clients come back, elsewhere; on with the next once the proxy sees it up again.
std::unique_ptr<Operation> rolling_restart(Fleet& fleet, Operation::Done done);
// New ones join the pool once they are ready; those that are too many get no new sessions and are ended.
std::unique_ptr<Operation> scale(Fleet& fleet, std::uint32_t nodes, Operation::Done done);

// The time that a node has for its end; shared with the shutdown.
inline constexpr std::uint64_t kNodeEndMs = 26'000;

}  // namespace limpet::bundle
