// Cluster: which master has which slot, and commands that follow a slot when it has moved.
//
// Part of what stands behind Redis, which owns the nodes; here they are only pointed to, until close(). Held
// by a shared_ptr, for as long as an answer is owed. A command that was sent to the wrong master is sent on
// once for each MOVED and each ASK, three times at most, to masters that there is a link to; else it fails
// and was not executed. That the table is out of date is for the link's owner to see.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/redis/link.h"
#include "backend/redis/slots.h"

namespace limpet::redis {

struct Node {
  Endpoint at;
  std::shared_ptr<Link> commands;
  std::shared_ptr<Link> subscriptions;  // null until something is to be heard there
};

using Nodes = std::vector<std::unique_ptr<Node>>;

Node* node_at(const Nodes& nodes, const Endpoint& at);  // null: there is none

class Cluster : public std::enable_shared_from_this<Cluster> {
 public:
  Cluster(std::shared_ptr<Context> context, const Nodes& nodes)
      : context_(std::move(context)), nodes_(&nodes), owners_(kSlots, nullptr) {}

  // Whether a slot has another owner than when it was called last.
  bool take(const std::vector<SlotRange>& ranges);
  void moved(std::uint16_t slot, Node* to);
  void close();
  Node* owner(std::uint16_t slot) const { return owners_[slot]; }
  // Where commands without a key go, and what is published by PUBLISH: always the same one while it is up, so
  // that what this process says stays in order. There is a node.
  Node& home();
  void send(std::string bytes, Asked asked, Node& to);

 private:
  struct Request {
    std::string bytes;
    Asked asked;
    int redirects = 0;
    Endpoint from = {};  // who answers
  };
  void send(const std::shared_ptr<Request>& request, Node& to, bool asking);
  void on_answer(const std::shared_ptr<Request>& request, const Result& result);
  void finish(Asked& asked, const Result& result);

  const std::shared_ptr<Context> context_;
  const Nodes* nodes_;  // null once closed
  std::vector<Node*> owners_;
  bool moved_ = false;  // since take()
  Node* home_ = nullptr;
};

}  // namespace limpet::redis
