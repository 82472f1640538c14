// Cluster: which master has which slot, and commands that follow a slot when it has moved.
//
// Part of what stands behind Redis, which owns the nodes; here they are only pointed to. A command that was
// sent to the wrong master is sent on once for each MOVED and each ASK, three times at most, to masters that
// there is a link to; else it fails and was not executed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/redis/link.h"
#include "backend/redis/slots.h"

namespace limpet::redis {

struct Node {
  Endpoint at;
  std::shared_ptr<Link> commands;
  std::shared_ptr<Link> subscriptions;  // null until something is to be heard there
};

class Cluster {
 public:
  using Nodes = std::vector<std::unique_ptr<Node>>;
  explicit Cluster(Context& context) : context_(context), owners_(kSlots, nullptr) {}

  // Whether a slot has another owner than when it was called last.
  bool take(const std::vector<SlotRange>& ranges, const Nodes& nodes);
  void moved(std::uint16_t slot, Node* to);
  void clear();
  Node* owner(std::uint16_t slot) const { return owners_[slot]; }
  // Where commands without a key go, and what is published by PUBLISH: always the same one while it is up, so
  // that what this process says stays in order.
  Node* home(const Nodes& nodes);

  using Find = std::function<Node*(const Endpoint&)>;
  using Stale = std::function<void()>;  // the table is out of date
  // Both are kept for as long as the answer is owed, and may be called after clear().
  void send(std::string bytes, Asked asked, Node* to, Find find, Stale stale);

 private:
  struct Request {
    std::string bytes;
    Asked asked;
    int redirects = 0;
    Find find;
    Stale stale;
  };
  static void send(const std::shared_ptr<Request>& request, Context& context, Node* to, bool asking);
  static void on_answer(const std::shared_ptr<Request>& request, Context& context, const Endpoint& from,
                        const Result& result);

  Context& context_;
  std::vector<Node*> owners_;
  bool moved_ = false;  // since take()
  Node* home_ = nullptr;
};

}  // namespace limpet::redis
