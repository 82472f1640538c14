#include "backend/redis/cluster.h"

#include <algorithm>
#include <random>
#include <utility>

namespace limpet::redis {
namespace {

constexpr int kMostRedirects = 3;
constexpr std::string_view kAsking = "*1\r\n$6\r\nASKING\r\n";

void finish(Context& context, Asked& asked, const Result& result) {
  context.answered(asked.tally, result.ok());
  if (asked.done) asked.done(result);
}

}  // namespace

bool Cluster::take(const std::vector<SlotRange>& ranges, const Nodes& nodes) {
  const std::vector<Node*> before = std::exchange(owners_, std::vector<Node*>(kSlots, nullptr));
  for (const SlotRange& range : ranges) {
    const auto at = std::ranges::find_if(nodes, [&](const auto& node) { return node->at == range.master; });
    if (at == nodes.end()) continue;
    std::fill(owners_.begin() + range.first, owners_.begin() + range.last + 1, at->get());
  }
  return std::exchange(moved_, false) || owners_ != before;
}

void Cluster::moved(std::uint16_t slot, Node* to) {
  if (std::exchange(owners_[slot], to) != to) moved_ = true;
}

void Cluster::clear() {
  std::ranges::fill(owners_, nullptr);
}

Node* Cluster::home(const Nodes& nodes) {
  const auto here = std::ranges::find_if(nodes, [&](const auto& node) { return node.get() == home_; });
  const bool there = here != nodes.end();
  if (there && home_->commands->up()) return home_;
  std::vector<Node*> able;
  for (const auto& node : nodes) {
    if (node->commands->up()) able.push_back(node.get());
  }
  if (able.empty()) return there ? home_ : home_ = nodes.empty() ? nullptr : nodes.front().get();
  return home_ = able[std::uniform_int_distribution<std::size_t>(0, able.size() - 1)(context_.random)];
}

void Cluster::send(std::string bytes, Asked asked, Node* to, Find find, Stale stale) {
  context_.asked(asked.tally);
  const auto request = std::make_shared<Request>(
      Request{std::move(bytes), std::move(asked), 0, std::move(find), std::move(stale)});
  send(request, context_, to, false);
}

void Cluster::send(const std::shared_ptr<Request>& request, Context& context, Node* to, bool asking) {
  if (to == nullptr) {
    request->stale();
    return finish(context, request->asked, {"no master is known for this key", false, Reply()});
  }
  Asked asked;
  asked.before = static_cast<std::uint16_t>(request->asked.before + (asking ? 1 : 0));
  // The link fails what it owes before the context goes.
  asked.done = [request, &context, from = to->at](const Result& result) {
    on_answer(request, context, from, result);
  };
  if (!asking) return to->commands->send_encoded(request->bytes, std::move(asked));
  to->commands->send_encoded(std::string(kAsking) + request->bytes, std::move(asked));
}

void Cluster::on_answer(const std::shared_ptr<Request>& request, Context& context, const Endpoint& from,
                        const Result& result) {
  const auto redirect = read_redirect(result.error, from);
  if (!redirect) return finish(context, request->asked, result);
  Node* to = request->find(redirect->to);
  if (!redirect->ask) request->stale();
  if (to != nullptr && to->commands->up() && request->redirects++ < kMostRedirects) {
    return send(request, context, to, redirect->ask);
  }
  finish(context, request->asked, {result.error, false, result.reply});
}

}  // namespace limpet::redis
