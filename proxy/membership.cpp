#include "proxy/membership.h"

#include <algorithm>

#include "proxy/config/difference.h"
#include "proxy/config/health_settings.h"
#include "proxy/log/log.h"

namespace limpet {
namespace {

constexpr std::uint64_t kTickMs = 500;  // while somebody leaves

health::Watched watched(const std::shared_ptr<routing::Server>& server, const config::Endpoint& address,
                        const std::shared_ptr<net::Target>& target) {
  const bool name = address.kind == config::Endpoint::Kind::name;
  const bool unix_socket = address.kind == config::Endpoint::Kind::unix_socket;  // whose path is no Host
  return {server, target, name ? address.host : std::string(), address.port,
          unix_socket ? "localhost" : address.text()};
}

std::vector<health::Watched> watched(const config::PoolEntry& pool) {
  std::vector<health::Watched> out;
  for (std::size_t i = 0; i < pool.routing.members().size(); ++i) {
    const auto& server = pool.routing.members()[i].server;
    out.push_back(watched(server, pool.addresses[i], pool.targets[i]));
    const auto move = std::ranges::find(pool.moving, server, &config::Move::server);
    if (move == pool.moving.end()) continue;
    out.back().moves_to = std::make_shared<health::Watched>(watched(server, move->address, move->target));
  }
  return out;
}

}  // namespace

Membership::Membership(Parts parts, std::shared_ptr<const config::Config> config)
    : parts_(std::move(parts)),
      snapshot_(config::build_snapshot(std::move(config), nullptr)),
      tick_(parts_.loop, net::delegate<&Membership::on_tick>(this)) {}

void Membership::watch() {
  parts_.monitor.on_arrival = [this](const net::Target& at) { arrive(at); };
  for (const auto& pool : snapshot_->pools) {
    parts_.monitor.add_pool(pool->settings.name, config::health_settings(pool->settings.health),
                            watched(*pool));
  }
}

std::string Membership::adopt(const std::shared_ptr<const config::Config>& config) {
  const std::string changed = config::describe_servers(*snapshot_->config, *config);
  if (changed.empty()) return changed;
  install(rebuilt(config, {}, nullptr));
  return changed;
}

std::shared_ptr<const config::Snapshot> Membership::rebuilt(std::shared_ptr<const config::Config> config,
                                                            const config::IsGone& is_gone,
                                                            const net::Target* arrived) const {
  return config::build_snapshot(std::move(config), snapshot_.get(), is_gone,
                                [arrived](const routing::Server& server, const net::Target& to) {
                                  return &to == arrived || server.state() == routing::State::down;
                                });
}

void Membership::arrive(const net::Target& at) {
  for (const auto& pool : snapshot_->pools) {
    for (const config::Move& each : pool->moving) {
      if (each.target.get() != &at) continue;
      log::info("server {}/{} is at {} from now on", each.server->pool, each.server->id, each.address.text());
      return install(rebuilt(snapshot_->config, {}, &at));
    }
  }
}

// Health first: who is new must not be taken for up.
void Membership::install(std::shared_ptr<const config::Snapshot> fresh) {
  snapshot_ = std::move(fresh);
  note_leaving();
  for (const auto& pool : snapshot_->pools) {
    parts_.monitor.update_pool(pool->settings.name, watched(*pool));
  }
  for (const auto& worker : parts_.workers) worker->use(snapshot_);
  parts_.on_change();
}

void Membership::note_leaving() {
  const std::uint64_t window = config::ms(snapshot_->config->proxy.drain_timeout);
  std::unordered_map<std::uint32_t, Leaving> before;
  before.swap(leaving_);
  for (const auto& pool : snapshot_->pools) {
    const bool closes = pool->settings.health.on_down == config::OnDown::close;
    for (const routing::Member& each : pool->leaving()) {
      const auto known = before.find(each.server->serial);
      leaving_.emplace(each.server->serial,
                       known != before.end() ? known->second : Leaving{net::now_ms() + window, closes});
    }
  }
  if (leaving_.empty()) {
    tick_.cancel();
  } else if (!tick_.armed()) {
    tick_.after(std::min(kTickMs, window));
  }
}

// A server that is down and serves nobody has nothing to wait for.
bool Membership::is_over(const routing::Server& server, const Leaving& leaving) const {
  return net::now_ms() >= leaving.ends_ms || (server.state() == routing::State::down && server.in_use() == 0);
}

void Membership::on_tick() {
  const std::uint64_t now = net::now_ms();
  std::uint64_t next = kTickMs;
  std::unordered_set<std::uint32_t> gone;
  for (const auto& pool : snapshot_->pools) {
    for (const routing::Member& each : pool->leaving()) {
      const Leaving& leaving = leaving_.at(each.server->serial);
      if (is_over(*each.server, leaving)) {
        gone.insert(each.server->serial);
        log::info("server {}/{} has left", each.server->pool, each.server->id);
        continue;
      }
      const std::uint64_t left = leaving.ends_ms - now;
      next = std::min(next, left);
      if (!leaving.closes) continue;
      for (const auto& worker : parts_.workers) worker->close_part(each.server->serial, left / kTickMs + 1);
    }
  }
  if (!gone.empty()) let_go(gone);
  if (!leaving_.empty()) tick_.after(next);
}

void Membership::let_go(const std::unordered_set<std::uint32_t>& gone) {
  for (const auto& worker : parts_.workers) {
    for (const std::uint32_t serial : gone) worker->server_down(serial);
  }
  const auto is_gone = [&gone](const routing::Server& server) { return gone.contains(server.serial); };
  install(rebuilt(snapshot_->config, is_gone, nullptr));
}

}  // namespace limpet
