#include "backend/app/node.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "backend/app/cluster_page.h"
#include "backend/app/events.h"
#include "backend/app/metrics.h"
#include "backend/app/pages.h"
#include "backend/app/roster.h"
#include "backend/socketio/server.h"
#include "proxy/net/listener.h"

namespace limpet::app {
namespace {

constexpr std::uint64_t kLookMs = 20;  // while shutting down: is everything closed yet

http::Limits admin_limits() {
  http::Limits limits;
  limits.head_timeout_ms = limits.idle_timeout_ms = 10'000;
  limits.max_connections = 64;
  return limits;
}

std::string id_of(const net::Address& address) {
  std::string text = address.text();
  std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
  return text;
}

}  // namespace

struct Node::Impl {
  Impl(net::Loop& l, Settings s) : loop(l), settings(std::move(s)) {}
  ~Impl();

  std::optional<std::string> start();
  std::optional<std::string> listen_for_admin();
  void serve();
  void serve_page();
  std::string_view state() const;
  std::string metrics();
  void shut_down(std::function<void(bool)> then);
  void on_step();
  void leave();
  bool nobody_is_there() const;
  std::size_t raw_connections() const { return raw ? raw->connections() : 0; }

  net::Loop& loop;
  Settings settings;
  net::BoundListener bound, admin_bound;
  HealthPage health{[this] { return state(); }, settings.cluster&& settings.cluster->strict_health};
  std::unique_ptr<http::Server> http, admin_http;
  std::unique_ptr<Cluster> cluster;  // null: the node is alone
  std::unique_ptr<ClusterPage> page;
  std::unique_ptr<Roster> roster;
  std::unique_ptr<socketio::Server> io;
  std::unique_ptr<raw::Endpoint> raw;
  std::unique_ptr<AdminPages> admin;
  std::unique_ptr<LagMeter> lag;
  net::Timer step{loop, net::delegate<&Impl::on_step>(this)};
  std::function<void(bool)> done;
  enum class Stage : std::uint8_t { serving, draining, flushing, leaving, over } stage = Stage::serving;
  std::uint64_t stage_ends_ms = 0;
  bool clean = true;
};

Node::Impl::~Impl() {
  if (cluster) cluster->stop_counting();
  net::remove_file(bound);
  net::remove_file(admin_bound);
}

std::optional<std::string> Node::Impl::start() {
  bound = net::bind_listener(settings.listen, 1);
  if (!bound.error.empty()) return "cannot listen on " + bound.error;
  if (settings.id.empty()) settings.id = id_of(bound.address);
  if (auto error = listen_for_admin()) return error;
  try {
    serve();
  } catch (const std::exception& error) {
    return error.what();
  }
  return std::nullopt;
}

std::optional<std::string> Node::Impl::listen_for_admin() {
  if (!settings.admin) return std::nullopt;
  admin_bound = net::bind_listener(*settings.admin, 1, 0600);
  if (!admin_bound.error.empty()) return "admin: cannot listen on " + admin_bound.error;
  return std::nullopt;
}

void Node::Impl::serve() {
  socketio::Options options = settings.io;
  options.engine.node_id = settings.id;
  if (!options.engine.cookie.name.empty()) options.engine.cookie.value = settings.id;
  http = std::make_unique<http::Server>(loop, settings.http);
  http->route("/health", health);
  if (settings.cluster) {
    cluster = std::make_unique<Cluster>(loop, *settings.cluster, settings.id, settings.on_event);
    options.adapter = cluster->adapter();
  }
  io = std::make_unique<socketio::Server>(loop, *http, std::move(options));
  for (const std::string& each : settings.namespaces)
    serve_events(io->of(each), settings.id, settings.tokens, cluster ? cluster->presence() : nullptr);
  if (settings.page) serve_page();
  if (cluster) cluster->start(io->of(settings.namespaces.front()));
  if (settings.raw) {
    raw = std::make_unique<raw::Endpoint>(loop, *settings.raw);
    raw->share(io->engine().budget());
    http->route(settings.raw->path, *raw);
  }
  http->count_also([this] {
    const engine::Server& engine = io->engine();
    return engine.totals().websockets + engine.leaving() + (raw ? raw->connections() + raw->leaving() : 0);
  });
  lag = std::make_unique<LagMeter>(loop);
  if (settings.admin) {
    admin =
        std::make_unique<AdminPages>(health, !admin_bound.address.is_unix(), [this] { return metrics(); });
    admin_http = std::make_unique<http::Server>(loop, admin_limits());
    admin_http->route("", *admin);
    admin_http->listen(std::move(admin_bound.sockets.front()));
  }
  http->listen(std::move(bound.sockets.front()));
}

void Node::Impl::serve_page() {
  page = std::make_unique<ClusterPage>(settings.io.engine.path, health);
  http->route("", *page);
  roster = std::make_unique<Roster>(io->of("/"), settings.id, [this] { return io->engine().sessions(); });
}

std::string_view Node::Impl::state() const {
  if (stage != Stage::serving) return "draining";
  if (io->engine().full()) return "full";
  return cluster && !cluster->redis().up() ? "degraded" : "ok";
}

std::string Node::Impl::metrics() {
  return metrics_text({.node_id = settings.id,
                       .max_connections = settings.io.engine.max_sessions,
                       .draining = stage != Stage::serving,
                       .http = *http,
                       .io = *io,
                       .raw = raw.get(),
                       .cluster = cluster.get(),
                       .lag = lag->take()});
}

void Node::Impl::shut_down(std::function<void(bool)> then) {
  if (stage != Stage::serving) return;
  done = std::move(then);
  stage = Stage::draining;
  stage_ends_ms = net::now_ms() + settings.drain_window_ms + settings.last_closes_ms;
  io->drain(settings.drain_window_ms);
  if (raw) raw->drain(settings.drain_window_ms);
  step.after(kLookMs);
}

// What is left are sessions whose clients have stopped polling: nobody is cut off.
bool Node::Impl::nobody_is_there() const {
  const engine::Server& engine = io->engine();
  return engine.totals().websockets == 0 && engine.leaving() == 0 && raw_connections() == 0 &&
         http->exchanges() == 0;
}

// Sessions first; then connections, whose last answers say that they are the last.
void Node::Impl::on_step() {
  const std::uint64_t now = net::now_ms();
  const bool late = now >= stage_ends_ms;
  const bool gone = io->engine().sessions() == 0 && io->engine().leaving() == 0 && raw_connections() == 0;
  if (stage == Stage::draining && (late || (gone && !io->engine().crossing()))) {
    clean = gone || nobody_is_there();
    stage = Stage::flushing;
    stage_ends_ms = now + settings.last_answers_ms;
    io->close();
    if (raw) raw->close_all();
    http->stop_accepting();
    http->close_idle();
  } else if (stage == Stage::flushing && (late || http->connections() == 0)) {
    return leave();
  }
  step.after(kLookMs);
}

void Node::Impl::leave() {
  const auto over = [this] {
    stage = Stage::over;
    done(clean);
  };
  if (!cluster) return over();
  stage = Stage::leaving;
  cluster->leave(settings.last_words_ms, over);
}

Node::Node(net::Loop& loop, Settings settings) : impl_(std::make_unique<Impl>(loop, std::move(settings))) {}
Node::~Node() = default;

std::optional<std::string> Node::start() {
  return impl_->start();
}
const net::Address& Node::address() const {
  return impl_->bound.address;
}
const net::Address* Node::admin_address() const {
  return impl_->admin_http ? &impl_->admin_bound.address : nullptr;
}
const std::string& Node::id() const {
  return impl_->settings.id;
}
std::size_t Node::sessions() const {
  return impl_->io->engine().sessions() + impl_->raw_connections();
}

std::vector<std::string> Node::warnings() const {
  std::vector<std::string> all;
  const Settings& settings = impl_->settings;
  if (settings.tokens) {
    for (const std::string& each : settings.tokens->warnings()) all.push_back("jwt_key: " + each);
  } else if (is_public(impl_->bound.address)) {
    all.push_back("whoever reaches " + impl_->bound.address.text() +
                  " can be any user: auth.userId is believed as it stands; set jwt_key");
  }
  return all;
}

void Node::shut_down(std::function<void(bool)> done) {
  impl_->shut_down(std::move(done));
}

}  // namespace limpet::app
