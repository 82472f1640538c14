// SilentAdapter: one that says nothing to anybody, for tests of what a namespace asks of its adapter.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/adapter/adapter.h"

namespace limpet::socketio {

class SilentAdapter : public adapter::Adapter {
 public:
  void broadcast(const adapter::Event&, const adapter::Target&) override {}
  void broadcast_with_ack(const adapter::Event&, const adapter::Target&, std::function<void(std::size_t)>,
                          std::function<void(const adapter::Args&)>) override {}
  void server_count(std::function<void(std::size_t)> done) override { done(1); }
  void fetch_sockets(const adapter::Target&,
                     std::function<void(std::string_view, std::vector<adapter::RemoteSocket>)>) override {}
  void join(const adapter::Target&, const std::vector<std::string>&) override {}
  void leave(const adapter::Target&, const std::vector<std::string>&) override {}
  void disconnect(const adapter::Target&, bool) override {}
  void server_side_emit(std::string_view, const adapter::Args&,
                        std::function<void(std::string_view, const adapter::Args&)>) override {}
};

}  // namespace limpet::socketio
