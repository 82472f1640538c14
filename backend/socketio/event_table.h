// EventTable: the handlers of a namespace, of a parent of namespaces, or of one socket.
//
// A handler may add others, or take itself or others out, while it runs: each is kept while it is called, and
// a list loses places only when nobody walks it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/names/hash.h"
#include "backend/socketio/handlers.h"

namespace limpet::socketio {

template <class H>
class HandlerList {
 public:
  void add(H handler, HandlerId id = HandlerId::none, bool once = false) {
    list_.push_back({std::make_shared<H>(std::move(handler)), id, once});
    ++count_;
  }
  bool empty() const { return count_ == 0; }
  bool unused() const { return empty() && walks_ == 0; }  // nobody is in it, nobody walks it
  bool remove(HandlerId id) {
    const auto at = std::ranges::find_if(list_, [&](const Entry& e) { return e.handler && e.id == id; });
    if (at == list_.end()) return false;
    take_out(*at);
    close_up();
    return true;
  }
  void clear() {
    for (Entry& entry : list_) take_out(entry);
    close_up();
  }
  // Calls each; those that are added meanwhile wait for the next time.
  template <class Call>
  void each(Call&& call) {
    const Walk walk(*this);
    const std::size_t count = list_.size();
    for (std::size_t i = 0; i < count; ++i) {
      const std::shared_ptr<H> keep = list_[i].handler;
      if (!keep) continue;
      if (list_[i].once) take_out(list_[i]);
      call(*keep);
    }
  }

 private:
  struct Entry {
    std::shared_ptr<H> handler;  // null: taken out
    HandlerId id;
    bool once;
  };
  struct Walk {
    explicit Walk(HandlerList& walked) : list(walked) { ++list.walks_; }
    ~Walk() {
      --list.walks_;
      list.close_up();
    }
    Walk(const Walk&) = delete;
    HandlerList& list;
  };
  void take_out(Entry& entry) {
    if (std::exchange(entry.handler, nullptr)) --count_;
  }
  void close_up() {
    if (walks_ != 0 || count_ == list_.size()) return;
    std::erase_if(list_, [](const Entry& entry) { return !entry.handler; });
  }

  std::vector<Entry> list_;
  std::uint32_t count_ = 0;
  std::uint32_t walks_ = 0;
};

class EventTable {
 public:
  HandlerList<AnyHandler> any, any_outgoing;
  HandlerList<LeaveHandler> disconnecting, disconnect;
  HandlerList<ErrorHandler> error;
  std::vector<std::shared_ptr<EventMiddleware>> middlewares;

  template <class H>
  HandlerId add(HandlerList<H>& list, H handler) {
    list.add(std::move(handler), next_id());
    return last_;
  }
  HandlerId add(std::string_view event, EventHandler handler, bool once) {
    auto at = events_.find(event);
    if (at == events_.end()) at = events_.try_emplace(std::string(event)).first;
    at->second.add(std::move(handler), next_id(), once);
    return last_;
  }
  void off(std::string_view event) {
    const auto at = events_.find(event);
    if (at == events_.end()) return;
    at->second.clear();
    if (at->second.unused()) events_.erase(at);
  }
  void off(HandlerId id) {
    if (any.remove(id) || any_outgoing.remove(id) || disconnecting.remove(id) || disconnect.remove(id) ||
        error.remove(id))
      return;
    for (auto at = events_.begin(); at != events_.end(); ++at) {
      if (!at->second.remove(id)) continue;
      if (at->second.unused()) events_.erase(at);
      return;
    }
  }
  template <class Call>
  void each(std::string_view event, Call&& call) {
    const auto at = events_.find(event);
    if (at == events_.end()) return;
    HandlerList<EventHandler>& list = at->second;  // stays where it is while the table grows
    list.each(call);
    if (list.unused()) events_.erase(events_.find(event));
  }

 private:
  HandlerId next_id() { return last_ = static_cast<HandlerId>(static_cast<std::uint32_t>(last_) + 1); }

  std::unordered_map<std::string, HandlerList<EventHandler>, names::Hash, std::equal_to<>> events_;
  HandlerId last_ = HandlerId::none;
};

}  // namespace limpet::socketio
