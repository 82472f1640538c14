// Where the servers are: what sentinels and a cluster's nodes say, and the links that follow it.
#include <algorithm>
#include <utility>

#include "backend/redis/impl.h"

namespace limpet::redis {
namespace {

constexpr std::uint64_t kClusterAskedMs = 10'000;  // besides when something is amiss
constexpr std::uint64_t kClusterDoubtMs = 5'000;   // a master that is down for good makes nobody wrong

}  // namespace

// --- sentinels ---

// They are asked now and then besides: a master that nobody else sees any more may still answer us.
void Redis::Impl::watch_master() {
  const Settings& settings = context->settings;
  Scout::Plan plan{{"", settings.sentinel_password},
                   {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", settings.master},
                   settings.ping_interval_ms,
                   settings.last_retry_ms};
  scout = std::make_shared<Scout>(
      context, std::move(plan), settings.endpoints,
      [this](const Reply& reply, const Endpoint&) { return read_master(reply); },
      [this](const std::string& what) { tell_once("of the sentinels, " + what + "; trying the next one"); });
}

bool Redis::Impl::read_master(const Reply& reply) {
  const auto named = read_endpoint(reply[0].text(), reply[1].integer());
  if (!named) return false;
  const auto pin = shared_from_this();
  master = named;
  nodes.front()->at = *named;
  follow_targets();
  return true;
}

// --- cluster ---

void Redis::Impl::watch_cluster() {
  const Settings& settings = context->settings;
  cluster = std::make_shared<Cluster>(context, nodes);
  Scout::Plan plan{{settings.user, settings.password, 0, settings.tls.on, false},
                   {"CLUSTER", "SLOTS"},
                   kClusterAskedMs,
                   kClusterDoubtMs};
  scout = std::make_shared<Scout>(
      context, std::move(plan), settings.endpoints,
      [this](const Reply& reply, const Endpoint& from) { return read_cluster(reply, from); },
      [this](const std::string& what) { tell_once("of the cluster, " + what + "; trying the next one"); });
}

// What is gone is ended last, when the table knows it no more: whoever is told may send a command.
bool Redis::Impl::read_cluster(const Reply& reply, const Endpoint& from) {
  const auto ranges = read_slots(reply, from);
  if (!ranges) return false;
  const auto pin = shared_from_this();
  std::vector<Endpoint> masters;
  for (const SlotRange& range : *ranges) {
    if (std::ranges::find(masters, range.master) == masters.end()) masters.push_back(range.master);
  }
  Nodes gone;
  for (auto& node : nodes) {
    if (std::ranges::find(masters, node->at) == masters.end()) gone.push_back(std::move(node));
  }
  std::erase(nodes, nullptr);
  for (const Endpoint& at : masters) {
    if (node_at(nodes, at) == nullptr) add_node(at).commands->wake();
  }
  const bool moved = cluster->take(*ranges);
  std::vector<Endpoint> candidates = masters;
  for (const Endpoint& seed : context->settings.endpoints) {
    if (std::ranges::find(candidates, seed) == candidates.end()) candidates.push_back(seed);
  }
  scout->set_candidates(std::move(candidates));
  for (const auto& node : gone) {
    if (node->subscriptions) channels.link_lost(*node->subscriptions);
    node->commands->end();
    if (node->subscriptions) node->subscriptions->end();
  }
  if (self != nullptr && (moved || channels.some_wait())) channels.place_all();
  follow_targets();
  check_up();
  return true;
}

// Who has the slot now is believed at once: the scout's server may hear of it later.
void Redis::Impl::on_moved(const Link& link, std::string_view error) {
  if (const auto redirect = read_redirect(error, link.endpoint()); redirect && !redirect->ask) {
    if (Node* to = node_at(nodes, redirect->to)) cluster->moved(redirect->slot, to);
  }
  scout->ask();
}

// --- both ---

void Redis::Impl::follow_targets() {
  std::vector<std::pair<std::shared_ptr<Link>, std::optional<Endpoint>>> links;
  for (const auto& node : nodes) {
    links.emplace_back(node->commands, node->at);
    if (node->subscriptions) links.emplace_back(node->subscriptions, node->at);
  }
  for (const auto& weak : dedicated) {
    if (const auto each = weak.lock()) links.emplace_back(each->link, target_of(each->slot));
  }
  for (const auto& [link, target] : links) {
    if (link->phase() == Link::Phase::waiting) {
      if (target && link->endpoint() != *target) link->wake();
    } else if (target && link->phase() != Link::Phase::ended && link->endpoint() != *target) {
      link->drop(shown(*target) + " has its place now");
      link->wake();
    }
  }
}

std::string Redis::Impl::where() const {
  if (cluster) return "a cluster of " + std::to_string(nodes.size()) + " masters";
  const std::string at = shown(nodes.front()->at);
  return context->settings.kind == Kind::sentinel ? at + ", the master " + context->settings.master : at;
}

}  // namespace limpet::redis
