#include "proxy/node_service.h"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "backend/app/node.h"
#include "backend/app/token.h"
#include "proxy/capacity.h"
#include "proxy/endpoint.h"
#include "proxy/heap.h"
#include "proxy/log/escape.h"
#include "proxy/log/log.h"
#include "proxy/log/throttle.h"
#include "proxy/net/loop.h"
#include "proxy/net/signals.h"
#include "proxy/node_cluster.h"
#include "proxy/notify.h"

namespace limpet {
namespace {

constexpr std::uint32_t kReserve = 64;  // descriptors that are no client's
constexpr std::uint32_t kHttpShare =
    10'000;  // connections beside sessions over WebSocket: polls, probes, handshakes

// Lines about exceptions: clients can cause them. The metrics count them all.
constexpr std::uint32_t kExceptionLines = 5;
constexpr std::uint64_t kExceptionWindowMs = 1'000;

// Lines about the link to Redis, should it come and go without end.
constexpr std::uint32_t kRedisLines = 20;
constexpr std::uint64_t kRedisWindowMs = 10'000;

constexpr std::size_t kRecoveryPart = 8;  // of max_buffered, for each namespace

constexpr std::uint32_t kLeaving = 1'000;  // WebSockets whose Close is waited for

constexpr std::uint64_t kLookMs = 5'000;
constexpr std::size_t kCrowd = 500;  // sessions, whose memory is worth a pass over the heap

engine::Options engine_options(const config::Node& node) {
  engine::Options out;
  out.path = node.path;
  out.ping_interval_ms = config::ms(node.ping_interval);
  out.ping_timeout_ms = config::ms(node.ping_timeout);
  out.max_payload = node.max_payload;
  out.max_queued = node.max_queued;
  out.max_buffered = node.max_buffered;
  out.max_sessions = node.max_connections;
  out.allow_eio3 = node.allow_eio3;
  out.http_compression = node.http_compression;
  out.deflate = static_cast<ws::Deflate>(node.deflate);
  out.cors = {!node.cors_origins.empty(), node.cors_origins, node.cors_credentials, true};
  out.cookie.name = node.cookie.value_or("");
  return out;
}

socketio::Options socketio_options(const config::Node& node) {
  socketio::Options out;
  out.engine = engine_options(node);
  out.serve_client = node.serve_client.value_or("");
  out.connect_timeout_ms = config::ms(node.connect_timeout);
  out.recovery.enabled = node.recovery.count() > 0;
  if (out.recovery.enabled) out.recovery.max_disconnection_ms = config::ms(node.recovery);
  // What is kept for those who come back is held as well, and nobody can be closed for it.
  out.recovery.max_bytes = std::min<std::size_t>(out.recovery.max_bytes, node.max_buffered / kRecoveryPart);
  out.recovery.skip_middlewares = !node.jwt_key;  // a token may have expired since
  out.limits.rooms_per_socket = node.rooms_per_socket;
  out.limits.events_per_second = node.events_per_second;
  out.on_exception = [lines = log::Throttle(kExceptionLines, kExceptionWindowMs)](
                         std::string_view where, std::string_view what) mutable {
    const auto left_out = lines.admit(net::now_ms());
    if (!left_out) return;
    if (*left_out != 0) log::warn("{} exceptions before this one are left out here", *left_out);
    log::warn("{}: {}", log::escaped(where, log::Style::message, 80),
              log::escaped(what, log::Style::message, 400));
  };
  return out;
}

std::optional<raw::Options> raw_options(const config::Node& node) {
  if (node.raw == config::NodeRaw::off) return std::nullopt;
  raw::Options out;
  out.path = node.raw_path;
  out.mode = node.raw == config::NodeRaw::echo ? raw::Mode::echo : raw::Mode::topics;
  out.max_payload = static_cast<std::uint32_t>(node.raw_max_payload);
  out.idle_timeout_ms = config::ms(node.raw_idle_timeout);
  out.max_connections = node.max_connections;
  return out;
}

app::OnEvent redis_log() {
  return [lines = log::Throttle(kRedisLines, kRedisWindowMs)](bool bad, std::string_view what) mutable {
    const auto left_out = lines.admit(net::now_ms());
    if (!left_out) return;
    if (*left_out != 0) log::warn("redis: {} lines before this one are left out here", *left_out);
    const std::string text = log::escaped(what, log::Style::message, 400);
    bad ? log::warn("redis: {}", text) : log::info("redis: {}", text);
  };
}

http::Limits http_limits(const config::Config& config) {
  http::Limits out;
  out.head = {config.limits.head_bytes, config.limits.head_fields, config.limits.target_bytes};
  out.head_timeout_ms = config::ms(config.limits.head_timeout);
  out.idle_timeout_ms = config::ms(config.limits.idle_timeout);
  out.max_connections = config.node.max_connections + kHttpShare;
  out.max_unsent = std::min<std::size_t>(out.max_unsent, config.node.max_buffered / 2);
  return out;
}

}  // namespace

struct NodeService::Impl {
  explicit Impl(const config::Config& c) : config(c) {}

  bool start();
  bool load_key(app::Settings& settings);
  bool find_cluster(app::Settings& settings);
  static void fit_into_descriptors(app::Settings& settings);
  void say_what_is_served() const;
  void on_signal(int number);
  void on_look();

  const config::Config& config;
  net::Loop loop;
  std::unique_ptr<app::Node> node;
  std::unique_ptr<net::Signals> signals;
  net::Timer look{loop, net::delegate<&Impl::on_look>(this)};
  std::size_t most_sessions = 0;
  std::uint32_t max_sessions = 0;
  bool stopping = false;
  bool clean = true;
};

bool NodeService::Impl::start() {
  const config::Node& wanted = config.node;
  const auto listen = to_address(wanted.listen);
  if (!listen) {
    log::error("cannot listen on {}: the path is too long for a Unix socket", wanted.listen.text());
    return false;
  }
  if (listen->is_unix() && !wanted.id) {
    log::error("a node that listens on a Unix socket needs an id: --id");
    return false;
  }
  app::Settings settings;
  settings.id = wanted.id.value_or("");
  settings.listen = *listen;
  if (wanted.admin) settings.admin = to_address(*wanted.admin);
  settings.http = http_limits(config);
  settings.io = socketio_options(wanted);
  settings.namespaces = wanted.namespaces;
  settings.page = wanted.page;
  settings.raw = raw_options(wanted);
  settings.drain_window_ms = config::ms(wanted.drain_window);
  if (!load_key(settings) || !find_cluster(settings)) return false;
  fit_into_descriptors(settings);
  max_sessions = settings.io.engine.max_sessions;
  node = std::make_unique<app::Node>(loop, std::move(settings));
  if (const auto error = node->start()) {
    log::error("{}", *error);
    return false;
  }
  signals = std::make_unique<net::Signals>(loop, std::initializer_list<int>{SIGTERM, SIGINT, SIGHUP, SIGUSR1},
                                           [this](int number) { on_signal(number); });
  look.after(kLookMs);
  say_what_is_served();
  return true;
}

bool NodeService::Impl::load_key(app::Settings& settings) {
  const config::Node& wanted = config.node;
  if (!wanted.jwt_key) {
    if (wanted.jwt_issuer || wanted.jwt_audience)
      log::warn("jwt_issuer and jwt_audience have no effect without jwt_key");
    return true;
  }
  auto loaded = app::TokenVerifier::load(*wanted.jwt_key, {wanted.jwt_issuer, wanted.jwt_audience});
  if (const auto* why = std::get_if<std::string>(&loaded)) {
    log::error("jwt_key: {}", *why);
    return false;
  }
  settings.tokens =
      std::make_shared<const app::TokenVerifier>(std::move(std::get<app::TokenVerifier>(loaded)));
  log::info("jwt: {}", settings.tokens->about());
  return true;
}

bool NodeService::Impl::find_cluster(app::Settings& settings) {
  auto found = to_cluster(config.node);
  if (const auto* why = std::get_if<std::string>(&found)) {
    log::error("{}", *why);
    return false;
  }
  settings.cluster = std::move(std::get<std::optional<app::ClusterSettings>>(found));
  if (!settings.cluster) return true;
  settings.on_event = redis_log();
  log::info("redis: {}{}", redis::shown(settings.cluster->redis),
            settings.cluster->join ? "" : "; nodes are not joined (adapter memory)");
  return true;
}

// A crowd that this process cannot hold would meet closed doors where /health still says ok. Beside sessions
// there are POSTs, probes and handshakes: a tenth.
void NodeService::Impl::fit_into_descriptors(app::Settings& settings) {
  const std::uint64_t all = raise_descriptor_limit();
  const std::uint64_t clients = all > kReserve ? all - kReserve : 1;
  const std::uint64_t room = std::max<std::uint64_t>(clients * 9 / 10, 1);
  const auto leaving = static_cast<std::uint32_t>(std::min<std::uint64_t>(clients / 20, kLeaving));
  settings.http.max_with_upgraded = static_cast<std::uint32_t>(std::min<std::uint64_t>(clients, UINT32_MAX));
  settings.io.engine.max_leaving = leaving;
  if (settings.raw) settings.raw->max_leaving = leaving;
  std::uint32_t& most = settings.io.engine.max_sessions;
  const std::uint64_t kinds = settings.raw ? 2 : 1;  // each has max_connections
  if (most * kinds <= room) return;
  log::warn(
      "max_connections is {}, but of {} descriptors {} are for {}: that is the limit; raise LimitNOFILE",
      most, all, room, settings.raw ? "sessions and raw connections, half each" : "sessions");
  most = static_cast<std::uint32_t>(std::max<std::uint64_t>(room / kinds, 1));
  if (settings.raw) settings.raw->max_connections = most;
}

void NodeService::Impl::say_what_is_served() const {
  for (const std::string& each : node->warnings()) log::warn("{}", each);
  if (const net::Address* admin = node->admin_address()) log::info("admin on {}", admin->text());
  log::info("node {} serves {} sessions at the most", node->id(), max_sessions);
  log::info("listening on {}", node->address().text());
  notify_supervisor("READY=1");
}

// malloc keeps what a crowd has left behind. Where half of it has gone for good the pages are the system's
// again.
void NodeService::Impl::on_look() {
  const std::size_t now = node->sessions();
  most_sessions = std::max(most_sessions, now);
  if (most_sessions >= kCrowd && now * 2 <= most_sessions) {
    ::malloc_trim(0);
    most_sessions = now;
  }
  look.after(kLookMs);
}

void NodeService::Impl::on_signal(int number) {
  switch (number) {
    case SIGHUP: log::info("SIGHUP: reload is not supported yet; the configuration stays as it is"); return;
    case SIGUSR1: log::reopen(); return;
    default: break;
  }
  if (std::exchange(stopping, true)) {
    log::warn("second signal: exiting at once");
    clean = false;
    loop.stop();
    return;
  }
  notify_supervisor("STOPPING=1");
  log::info("shutting down: /health says draining, sessions end over {} ms",
            config::ms(config.node.drain_window));
  node->shut_down([this](bool all_ended) {
    clean = all_ended;
    if (!clean) log::warn("the drain window is over: what was left has been cut");
    loop.stop();
  });
}

NodeService::NodeService(const config::Config& config) : impl_(std::make_unique<Impl>(config)) {}
NodeService::~NodeService() = default;

int NodeService::run() {
  Impl& self = *impl_;
  give_heap_back_soon();
  if (!self.start()) return 1;
  self.loop.run();
  self.signals.reset();
  self.node.reset();
  log::info("exit");
  return self.clean ? 0 : 1;
}

}  // namespace limpet
