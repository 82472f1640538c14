#include "proxy/overview.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>

#include "proxy/log/log.h"
#include "proxy/net/loop.h"

namespace limpet {
namespace {

using admin::Metric;
using admin::Sample;

constexpr std::string_view kStatusClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::string_view kTunnelEnds[] = {"eof", "reset", "idle", "drain", "server_down", "local_shortage"};
constexpr std::string_view kStates[] = {"up", "suspect", "refusing", "down"};
constexpr std::string_view kWanted[] = {"serving", "draining", "maintenance", "leaving"};

template <class Get>
double sum(const std::vector<std::unique_ptr<session::Worker>>& workers, Get get) {
  double total = 0;
  for (const auto& worker : workers) total += static_cast<double>(get(*worker));
  return total;
}

std::size_t open_descriptors() {
  struct stat info;  // since Linux 6.2 this folder's size is the number
  if (::stat("/proc/self/fd", &info) == 0 && info.st_size > 0) return static_cast<std::size_t>(info.st_size);
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::size_t count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count > 3 ? count - 3 : 0;  // ".", ".." and this folder itself
}

Metric counter(std::string name, std::string help, std::vector<Sample> samples) {
  return {Metric::Type::counter, std::move(name), std::move(help), std::move(samples)};
}
Metric gauge(std::string name, std::string help, std::vector<Sample> samples) {
  return {Metric::Type::gauge, std::move(name), std::move(help), std::move(samples)};
}
std::vector<Sample> one(double value) {
  return {{{}, value}};
}

Metric refusals(const std::vector<std::unique_ptr<session::Worker>>& workers) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < session::Metrics::kFaults; ++i) {
    const double value = sum(workers, [i](const auto& w) { return w.metrics().request_faults[i].get(); });
    samples.push_back({{{"reason", std::string(wire::text_of(static_cast<wire::Fault>(i)))}}, value});
  }
  for (std::size_t i = 0; i < session::kCauses; ++i) {
    const auto cause = static_cast<session::Cause>(i);
    if (cause == session::Cause::done || cause == session::Cause::bad_request ||
        cause == session::Cause::ready)
      continue;
    const double value = sum(workers, [i](const auto& w) { return w.metrics().causes[i].get(); });
    samples.push_back({{{"reason", std::string(session::answer_of(cause).reason)}}, value});
  }
  samples.push_back({{{"reason", "no_descriptors"}},
                     sum(workers, [](const auto& w) { return w.refused_without_descriptor(); })});
  return counter("limpet_refusals_total", "Requests that limpet refused or could not finish, by reason.",
                 std::move(samples));
}

Metric answer_faults(const std::vector<std::unique_ptr<session::Worker>>& workers) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < session::Metrics::kFaults; ++i) {
    const double value = sum(workers, [i](const auto& w) { return w.metrics().answer_faults[i].get(); });
    samples.push_back({{{"reason", std::string(wire::text_of(static_cast<wire::Fault>(i)))}}, value});
  }
  return counter("limpet_bad_answers_total", "Answers of servers that were refused, by reason.",
                 std::move(samples));
}

void add_server_metrics(const config::Snapshot& snapshot, std::vector<Metric>& out) {
  Metric up = gauge("limpet_server_state", "1 for the state that a server is in.", {});
  Metric wanted = gauge("limpet_server_wanted", "1 for what an operator wants of a server.", {});
  Metric transitions = counter("limpet_server_transitions_total", "Changes of a server's state.", {});
  Metric requests = gauge("limpet_server_requests", "Requests in flight to a server.", {});
  Metric tunnels = gauge("limpet_server_tunnels", "Open tunnels to a server.", {});
  Metric requests_total = counter("limpet_server_requests_total", "Requests sent to a server.", {});
  Metric tunnels_total = counter("limpet_server_tunnels_total", "Tunnels opened to a server.", {});
  for (const auto& pool : snapshot.pools) {
    for (const routing::Member& member : pool->routing.members()) {
      const routing::Server& server = *member.server;
      const std::vector<std::pair<std::string, std::string>> labels{{"pool", server.pool},
                                                                    {"server", server.id}};
      const auto value = [](const auto& atomic) {
        return static_cast<double>(atomic.load(std::memory_order_relaxed));
      };
      for (std::size_t i = 0; i < std::size(kStates); ++i) {
        auto with_state = labels;
        with_state.emplace_back("state", kStates[i]);
        up.samples.push_back(
            {std::move(with_state), static_cast<std::size_t>(server.state()) == i ? 1.0 : 0.0});
      }
      for (std::size_t i = 0; i < std::size(kWanted); ++i) {
        auto with_wanted = labels;
        with_wanted.emplace_back("wanted", kWanted[i]);
        wanted.samples.push_back(
            {std::move(with_wanted), static_cast<std::size_t>(server.wanted()) == i ? 1.0 : 0.0});
      }
      transitions.samples.push_back({labels, value(server.view.transitions)});
      requests.samples.push_back({labels, static_cast<double>(server.load.in_use.requests())});
      tunnels.samples.push_back({labels, static_cast<double>(server.load.in_use.tunnels())});
      requests_total.samples.push_back({labels, value(server.load.requests_total)});
      tunnels_total.samples.push_back({labels, value(server.load.tunnels_total)});
    }
  }
  for (Metric* each : {&up, &wanted, &transitions, &requests, &tunnels, &requests_total, &tunnels_total})
    out.push_back(std::move(*each));
}

void add_request_metrics(const std::vector<std::unique_ptr<session::Worker>>& workers,
                         std::vector<Metric>& out) {
  const auto total = [&](net::Counter session::Metrics::*which) {
    return sum(workers, [which](const auto& w) { return (w.metrics().*which).get(); });
  };
  std::vector<Sample> classes, kinds;
  for (std::size_t i = 0; i < std::size(kStatusClasses); ++i) {
    classes.push_back({{{"status", std::string(kStatusClasses[i])}},
                       sum(workers, [i](const auto& w) { return w.metrics().by_status_class[i].get(); })});
  }
  for (std::size_t i = 1; i < session::Metrics::kKinds; ++i) {
    kinds.push_back({{{"by", std::string(routing::name_of(static_cast<routing::By>(i)))}},
                     sum(workers, [i](const auto& w) { return w.metrics().chosen_by[i].get(); })});
  }
  out.push_back(counter("limpet_connections_total", "Client connections accepted.",
                        one(total(&session::Metrics::accepted))));
  out.push_back(
      counter("limpet_requests_total", "Requests by the status class of their answer.", std::move(classes)));
  out.push_back(
      counter("limpet_affinity_total", "What decided for the server of a request.", std::move(kinds)));
  out.push_back(counter("limpet_retries_total", "Requests tried again, by reason.",
                        {{{{"reason", "connect"}}, total(&session::Metrics::retries_connect)},
                         {{{"reason", "handshake"}}, total(&session::Metrics::retries_handshake)},
                         {{{"reason", "stale"}}, total(&session::Metrics::retries_stale)},
                         {{{"reason", "moved"}}, total(&session::Metrics::retries_moved)}}));
  out.push_back(counter("limpet_upstream_connects_total", "Connects to servers.",
                        one(total(&session::Metrics::connects))));
  out.push_back(counter("limpet_upstream_reused_total", "Requests sent on a reused connection to a server.",
                        one(total(&session::Metrics::reused))));
  out.push_back(counter("limpet_request_bytes_total",
                        "Bytes of requests (in) and answers (out), tunnels apart.",
                        {{{{"direction", "in"}}, total(&session::Metrics::bytes_in)},
                         {{{"direction", "out"}}, total(&session::Metrics::bytes_out)}}));
}

void add_tunnel_metrics(const std::vector<std::unique_ptr<session::Worker>>& workers,
                        std::vector<Metric>& out) {
  const auto total = [&](auto get) {
    return sum(workers, [get](const auto& w) { return get(w.tunnels()); });
  };
  std::vector<Sample> ends;
  for (std::size_t i = 0; i < std::size(kTunnelEnds); ++i) {
    ends.push_back({{{"reason", std::string(kTunnelEnds[i])}},
                    total([i](const tunnel::Engine& e) { return e.totals().ended_by[i].get(); })});
  }
  out.push_back(
      gauge("limpet_tunnels", "Open tunnels.", one(total([](const tunnel::Engine& e) { return e.open(); }))));
  out.push_back(counter("limpet_tunnels_ended_total", "Tunnels that ended, by reason.", std::move(ends)));
  out.push_back(counter(
      "limpet_tunnel_bytes_total", "Bytes of tunnels that have ended.",
      {{{{"direction", "in"}}, total([](const tunnel::Engine& e) { return e.totals().bytes_in.get(); })},
       {{{"direction", "out"}}, total([](const tunnel::Engine& e) { return e.totals().bytes_out.get(); })}}));
  out.push_back(gauge("limpet_tunnel_buffered_bytes", "Bytes held for peers that read slowly.",
                      one(total([](const tunnel::Engine& e) {
                        return e.totals().buffered.load(std::memory_order_relaxed);
                      }))));
}

using Statuses =
    std::map<std::pair<std::string_view, std::string_view>, const health::Status*>;  // by pool and id

admin::ServerView server_view(const routing::Member& member, const Statuses& all) {
  const routing::Server& server = *member.server;
  admin::ServerView view;
  view.id = server.id;
  view.state = health::name_of(server.state());
  view.wanted = health::name_of(server.wanted());
  if (const auto found = all.find({server.pool, server.id}); found != all.end()) {
    const health::Status& status = *found->second;
    const std::uint64_t now = net::now_ms();
    view.addresses = status.addresses;
    view.reason = status.reason;
    view.state_for_ms = now - std::min(now, status.since_ms);
  }
  const auto value = [](const auto& atomic) { return atomic.load(std::memory_order_relaxed); };
  view.weight = member.weight;
  view.backup = member.backup;
  view.max_connections = member.max_connections;
  view.requests = server.load.in_use.requests();
  view.tunnels = server.load.in_use.tunnels();
  view.requests_total = value(server.load.requests_total);
  view.tunnels_total = value(server.load.tunnels_total);
  view.bytes_in = value(server.load.bytes_in);
  view.bytes_out = value(server.load.bytes_out);
  return view;
}

}  // namespace

Overview::Overview(Parts parts) : parts_(std::move(parts)), started_ms_(net::now_ms()) {}

bool Overview::ready() {
  return parts_.shared.ready.load(std::memory_order_relaxed);
}

admin::StatusView Overview::status() {
  admin::StatusView view;
  view.version = LIMPET_VERSION;
  view.uptime_ms = net::now_ms() - started_ms_;
  view.stage = parts_.stage();
  view.ready = ready();
  view.workers = static_cast<std::uint32_t>(parts_.workers.size());
  view.connections = parts_.shared.connections.load(std::memory_order_relaxed);
  view.max_connections = parts_.shared.max_connections;
  view.requests_total = static_cast<std::uint64_t>(
      sum(parts_.workers, [](const auto& w) { return w.metrics().requests.get(); }));
  view.sids_learned = parts_.sids.size();
  view.sids_on_probation = parts_.sids.on_probation();
  view.sids_most = parts_.sids.most();
  const std::vector<health::Status> health = parts_.monitor.status();
  Statuses statuses;
  for (const health::Status& each : health) statuses[{each.pool, each.id}] = &each;
  for (const auto& pool : parts_.snapshot->pools) {
    admin::PoolView pool_view{pool->settings.name, {}};
    for (const routing::Member& member : pool->routing.members()) {
      pool_view.servers.push_back(server_view(member, statuses));
    }
    view.pools.push_back(std::move(pool_view));
  }
  return view;
}

Overview::Found Overview::set_draining(std::string_view pool, std::string_view server, bool draining) {
  const auto wanted = draining ? routing::Wanted::draining : routing::Wanted::serving;
  if (parts_.monitor.set_wanted(pool, server, wanted)) return Found::done;
  const bool known = std::any_of(parts_.snapshot->pools.begin(), parts_.snapshot->pools.end(),
                                 [&](const auto& each) { return each->settings.name == pool; });
  return known ? Found::no_server : Found::no_pool;
}

std::vector<Metric> Overview::metrics() {
  std::vector<Metric> out;
  out.push_back(
      gauge("limpet_build_info", "1, with the version as a label.", {{{{"version", LIMPET_VERSION}}, 1}}));
  out.push_back(gauge("limpet_ready", "1 while /ready answers 200.", one(ready() ? 1 : 0)));
  out.push_back(gauge("limpet_connections", "Client connections, tunnels included.",
                      one(parts_.shared.connections.load(std::memory_order_relaxed))));
  out.push_back(
      gauge("limpet_max_connections", "The most that are accepted.", one(parts_.shared.max_connections)));
  out.push_back(
      gauge("limpet_descriptors", "Open file descriptors.", one(static_cast<double>(open_descriptors()))));
  out.push_back(gauge(
      "limpet_sids", "Learned Engine.IO sids.",
      {{{{"part", "settled"}},
        static_cast<double>(parts_.sids.size() - std::min(parts_.sids.size(), parts_.sids.on_probation()))},
       {{{"part", "probation"}}, static_cast<double>(parts_.sids.on_probation())}}));
  out.push_back(counter("limpet_sids_evicted_total", "Learned sids that went before their time.",
                        one(static_cast<double>(parts_.sids.evicted()))));
  out.push_back(counter("limpet_log_dropped_total", "Log lines dropped because nobody took them.",
                        one(static_cast<double>(log::dropped_lines()))));
  add_request_metrics(parts_.workers, out);
  out.push_back(refusals(parts_.workers));
  out.push_back(answer_faults(parts_.workers));
  add_tunnel_metrics(parts_.workers, out);
  add_server_metrics(*parts_.snapshot, out);
  return out;
}

}  // namespace limpet
