// EventTable: the handlers of a namespace, of a parent of namespaces, or of one socket.
//
// A handler may add others, or take itself out, while it runs: each is kept while it is called.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/names/hash.h"
#include "backend/socketio/handlers.h"

namespace limpet::socketio {

// Calls each of a list's handlers; those that are added meanwhile wait for the next time.
template <class H>
class HandlerList {
 public:
  void add(H handler) { list_.push_back(std::make_shared<H>(std::move(handler))); }
  bool empty() const { return list_.empty(); }
  template <class Call>
  void each(Call&& call) const {
    const std::size_t count = list_.size();
    for (std::size_t i = 0; i < count && i < list_.size(); ++i) {
      const std::shared_ptr<H> keep = list_[i];
      call(*keep);
    }
  }
  void clear() { list_.clear(); }

 private:
  std::vector<std::shared_ptr<H>> list_;
};

class EventTable {
 public:
  HandlerList<AnyHandler> any;
  HandlerList<LeaveHandler> disconnecting, disconnect, error;

  void add(std::string_view event, EventHandler handler) {
    auto at = events_.find(event);
    if (at == events_.end()) at = events_.try_emplace(std::string(event)).first;
    at->second.add(std::move(handler));
  }
  void off(std::string_view event) {
    if (const auto at = events_.find(event); at != events_.end()) at->second.clear();
  }
  template <class Call>
  void each(std::string_view event, Call&& call) const {
    if (const auto at = events_.find(event); at != events_.end()) at->second.each(call);
  }

 private:
  std::unordered_map<std::string, HandlerList<EventHandler>, names::Hash, std::equal_to<>> events_;
};

}  // namespace limpet::socketio
