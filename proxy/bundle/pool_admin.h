// PoolAdmin: what the bundle asks of its proxy about the pool of its nodes, over the proxy's admin socket.
//
// On the loop's thread. Its end cancels what is under way: no answer comes then.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>

#include "proxy/bundle/ask.h"

namespace limpet::bundle {

// Of the pool's servers, by id: "up", "down", ... and what the operator wants of it.
struct ServerState {
  std::string state, wanted;
};
using PoolState = std::map<std::string, ServerState, std::less<>>;
// Of the proxy's GET /status; empty if that is not what it is. Pure.
PoolState read_pool_state(std::string_view status);

class PoolAdmin {
 public:
  PoolAdmin(net::Loop& loop, config::Endpoint proxy) : loop_(loop), proxy_(std::move(proxy)) {}

  void drain(std::string_view id, std::function<void(bool done)> then) { set(id, "drain", std::move(then)); }
  void ready(std::string_view id, std::function<void(bool done)> then) { set(id, "ready", std::move(then)); }
  void look(std::function<void(const PoolState&)> then);
  void ask(std::string_view method, std::string_view path, Ask::Done then);

 private:
  void set(std::string_view id, std::string_view verb, std::function<void(bool done)> then);

  net::Loop& loop_;
  const config::Endpoint proxy_;
  std::list<std::unique_ptr<Ask>> asks_;
};

}  // namespace limpet::bundle
