#include "backend/redis/cluster.h"

#include <algorithm>
#include <random>
#include <utility>

namespace limpet::redis {
namespace {

constexpr int kMostRedirects = 3;
constexpr std::string_view kAsking = "*1\r\n$6\r\nASKING\r\n";

}  // namespace

Node* node_at(const Nodes& nodes, const Endpoint& at) {
  const auto found = std::ranges::find_if(nodes, [&](const auto& node) { return node->at == at; });
  return found == nodes.end() ? nullptr : found->get();
}

bool Cluster::take(const std::vector<SlotRange>& ranges) {
  const std::vector<Node*> before = std::exchange(owners_, std::vector<Node*>(kSlots, nullptr));
  for (const SlotRange& range : ranges) {
    Node* const node = node_at(*nodes_, range.master);
    if (node != nullptr) std::fill(owners_.begin() + range.first, owners_.begin() + range.last + 1, node);
  }
  return std::exchange(moved_, false) || owners_ != before;
}

void Cluster::moved(std::uint16_t slot, Node* to) {
  if (std::exchange(owners_[slot], to) != to) moved_ = true;
}

void Cluster::close() {
  nodes_ = nullptr;
  std::ranges::fill(owners_, nullptr);
}

Node& Cluster::home() {
  const auto here = std::ranges::find_if(*nodes_, [&](const auto& node) { return node.get() == home_; });
  const bool there = here != nodes_->end();
  if (there && home_->commands->up()) return *home_;
  std::vector<Node*> able;
  for (const auto& node : *nodes_) {
    if (node->commands->up()) able.push_back(node.get());
  }
  if (!able.empty()) {
    home_ = able[std::uniform_int_distribution<std::size_t>(0, able.size() - 1)(context_->random)];
  } else if (!there) {
    home_ = nodes_->front().get();
  }
  return *home_;
}

void Cluster::send(std::string bytes, Asked asked, Node& to) {
  context_->asked(asked.tally);
  send(std::make_shared<Request>(Request{std::move(bytes), std::move(asked)}), to, false);
}

void Cluster::send(const std::shared_ptr<Request>& request, Node& to, bool asking) {
  request->from = to.at;
  Asked asked;
  asked.before = static_cast<std::uint16_t>(request->asked.before + (asking ? 1 : 0));
  asked.done = [self = shared_from_this(), request](const Result& result) {
    self->on_answer(request, result);
  };
  if (!asking) return to.commands->send_encoded(request->bytes, std::move(asked));
  to.commands->send_encoded(std::string(kAsking) + request->bytes, std::move(asked));
}

void Cluster::on_answer(const std::shared_ptr<Request>& request, const Result& result) {
  const auto redirect = read_redirect(result.error, request->from);
  if (!redirect) return finish(request->asked, result);
  Node* const to = nodes_ != nullptr ? node_at(*nodes_, redirect->to) : nullptr;
  if (to != nullptr && to->commands->up() && request->redirects++ < kMostRedirects) {
    return send(request, *to, redirect->ask);
  }
  finish(request->asked, {result.error, false, result.reply});
}

void Cluster::finish(Asked& asked, const Result& result) {
  context_->answered(asked.tally, result.ok());
  if (asked.done) asked.done(result);
}

}  // namespace limpet::redis
