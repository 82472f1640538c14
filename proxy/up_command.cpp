#include "proxy/up_command.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <optional>

#include "proxy/admin/server.h"
#include "proxy/bundle/control.h"
#include "proxy/bundle/lines.h"
#include "proxy/bundle/meter.h"
#include "proxy/bundle/screen.h"
#include "proxy/bundle/site.h"
#include "proxy/bundle/supervisor.h"
#include "proxy/capacity.h"
#include "proxy/config/difference.h"
#include "proxy/config/load.h"
#include "proxy/endpoint.h"
#include "proxy/log/log.h"
#include "proxy/log/state.h"
#include "proxy/net/cpus.h"
#include "proxy/net/fd.h"
#include "proxy/net/listener.h"
#include "proxy/net/signals.h"
#include "proxy/notify.h"
#include "proxy/secrets.h"

namespace limpet {
namespace {

constexpr std::uint32_t kLeastNodes = 2;

// The bundle's own lines and those of its children go to one place, `here` or the file of [log].
bool start_up_log(const config::Log& wanted, const std::string& here) {
  log::Settings settings;
  settings.level = static_cast<log::Level>(wanted.level);
  settings.json = wanted.format == config::LogFormat::json;
  settings.file = settings.access_file = wanted.file.value_or(here);
  try {
    log::start(settings);
    return true;
  } catch (const std::exception& error) {
    std::cerr << "limpet: cannot open the log: " << error.what() << '\n';
    return false;
  }
}

std::uint32_t nodes_of(const config::Config& config) {
  const std::uint32_t wanted = config.bundle ? config.bundle->nodes : 0;
  if (wanted != 0) return wanted;
  return std::max(kLeastNodes, static_cast<std::uint32_t>(net::usable_cpus().size()));
}

// Whoever closes it sends SIGHUP, too, and means something else.
bool has_terminal() {
  return net::Fd(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).get() >= 0;
}

class Up final : public bundle::Observer {
 public:
  Up(std::shared_ptr<const config::Config> config, std::string owners, bundle::Screen* screen)
      : config_(std::move(config)), owners_(std::move(owners)), screen_(screen) {}
  ~Up() override { net::remove_file(admin_bound_); }
  int run();

 private:
  bool settle();
  bool try_listeners() const;
  bool bind_admin();
  void serve_admin();
  void say_where() const;
  void show() const;
  void on_signal(int number);
  void reload();
  bool terminal_is_gone() const { return had_terminal_ && !has_terminal(); }
  void on_change() override { show(); }
  void on_line(std::string_view id, std::string_view line) override;
  void on_all_ready() override;
  void on_end(bool clean) override;

  std::shared_ptr<const config::Config> config_;
  const std::string owners_;
  bundle::Screen* const screen_;  // null: there is no terminal. It outlives us
  net::Loop loop_;
  bundle::Wanted wanted_;
  std::optional<bundle::Prepared> prepared_;
  std::optional<bundle::Blueprint> blueprint_;
  std::unique_ptr<bundle::Supervisor> supervisor_;
  std::unique_ptr<bundle::Meter> meter_;  // with a screen
  std::unique_ptr<bundle::Control> control_;
  net::BoundListener admin_bound_;
  std::unique_ptr<admin::Server> admin_;
  std::unique_ptr<net::Signals> signals_;
  const bool had_terminal_ = has_terminal();
  bool stopping_ = false;
  bool clean_ = true;
};

// What it may change while everything runs: the number of nodes, and who is in other pools.
std::optional<std::string> needs_restart(config::Config fresh, const config::Config& old) {
  if (fresh.bundle && old.bundle) fresh.bundle->nodes = old.bundle->nodes;
  if (!(fresh.node == old.node)) return "[node]";
  return config::first_difference(old, fresh);
}

// What this machine has for us.
bool Up::settle() {
  const config::Bundle bundle = config_->bundle.value_or(config::Bundle{});
  bundle::Wanted& wanted = wanted_;
  wanted.listener = config_->listeners.empty();
  wanted.command = !bundle.command.empty();
  wanted.first_port = bundle.ports;
  wanted.managed_redis = !bundle.redis;
  if (bundle.redis) {
    auto url = read_secret(*bundle.redis);
    if (const auto* no = std::get_if<Unreadable>(&url)) {
      log::error("bundle.redis: {}", no->why);
      return false;
    }
    wanted.redis_url = std::move(std::get<std::string>(url));
  }
  auto prepared = bundle::prepare(wanted);
  if (const auto* why = std::get_if<std::string>(&prepared)) {
    log::error("{}", *why);
    return false;
  }
  prepared_.emplace(std::move(std::get<bundle::Prepared>(prepared)));
  blueprint_.emplace(config_, owners_, prepared_->site);
  return true;
}

// Each is bound as the proxy will bind it, and given back: of one that is taken nobody would hear but in the
// proxy's crash loop.
bool Up::try_listeners() const {
  for (const config::Listener& each : config_->listeners) {
    const auto address = to_address(each.address);
    net::BoundListener bound =
        address ? net::bind_listener(*address, 1)
                : net::BoundListener{
                      {}, {}, {}, each.address.text() + ": the path is too long for a Unix socket"};
    net::remove_file(bound);
    if (bound.error.empty()) continue;
    log::error("cannot listen on {}", bound.error);
    return false;
  }
  return true;
}

void Up::say_where() const {
  log::info("runtime directory {}", prepared_->folder.path());
  for (const std::string& each : prepared_->notes) log::warn("{}", each);
  for (const std::string& each : blueprint_->warnings()) log::warn("{}", each);
}

// One address for all of the bundle; the proxy's own is in the runtime directory.
bool Up::bind_admin() {
  const config::Admin& wanted = config_->admin;
  const auto address = to_address(wanted.address);
  admin_bound_ = address ? net::bind_listener(*address, 1, 0600)
                         : net::BoundListener{{}, {}, {}, wanted.address.text() + ": not an address"};
  if (!admin_bound_.error.empty()) {
    if (!wanted.by_default) log::error("admin: cannot listen on {}", admin_bound_.error);
    if (wanted.by_default) log::warn("no admin: {}; set [admin] address", admin_bound_.error);
    return wanted.by_default;
  }
  return true;
}

void Up::serve_admin() {
  if (admin_bound_.sockets.empty()) return;
  log::info("admin on {}", admin_bound_.address.text());
  control_ = std::make_unique<bundle::Control>(loop_, *supervisor_);
  admin_ = std::make_unique<admin::Server>(loop_, std::move(admin_bound_.sockets.front()),
                                           admin_bound_.address, *control_);
}

void Up::show() const {
  if (screen_ == nullptr || !supervisor_) return;
  screen_->show([overview = supervisor_->overview(),
                 readings = meter_ ? meter_->readings() : bundle::Readings{}](const bundle::Paper& paper) {
    return bundle::table(overview, readings, net::now_ms(), paper);
  });
}

int Up::run() {
  if (!settle() || !try_listeners() || !bind_admin()) return 1;
  say_where();
  bundle::Supervisor::Settings settings;
  settings.nodes = nodes_of(*config_);
  settings.port = [this](std::uint32_t number) { return bundle::port_of(wanted_, number, *prepared_); };
  settings.shutdown_delay_ms = config::ms(config_->proxy.shutdown_delay);
  supervisor_ = std::make_unique<bundle::Supervisor>(loop_, prepared_->folder, *blueprint_, settings, *this);
  signals_ = std::make_unique<net::Signals>(
      loop_, std::initializer_list<int>{SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD},
      [this](int number) { on_signal(number); });
  if (const std::string wrong = supervisor_->start(); !wrong.empty()) {
    log::error("{}", wrong);
    return 1;
  }
  serve_admin();
  if (screen_ != nullptr) {
    meter_ = std::make_unique<bundle::Meter>(
        loop_, [this] { return supervisor_->overview(); }, [this] { show(); });
  }
  loop_.run();
  meter_.reset();
  admin_.reset();
  signals_.reset();
  log::info("exit");
  return clean_ ? 0 : 1;
}

void Up::on_signal(int number) {
  switch (number) {
    case SIGCHLD: return supervisor_->reap();
    case SIGHUP:
      if (!terminal_is_gone()) return reload();
      break;
    case SIGUSR1: log::reopen(); return supervisor_->reopen_logs();
    default: break;
  }
  if (std::exchange(stopping_, true)) {
    log::warn("second signal: everything is killed");
    return supervisor_->force();
  }
  notify_supervisor("STOPPING=1");
  log::info("shutting down: the proxy takes no more connections, nodes end their sessions, Redis is last");
  supervisor_->stop();
}

void Up::reload() {
  const std::string& file = config_->file;
  if (file.empty()) return log::info("SIGHUP: there is no configuration file, so that nothing changes");
  const auto text = config::read_file(file);
  if (const auto* no = std::get_if<config::Problem>(&text))
    return log::error("SIGHUP: {}; nothing changes", config::format(file, *no));
  const config::Loaded loaded = config::load_text(std::get<std::string>(text), file);
  for (const config::Problem& each : loaded.problems) log::error("{}", config::format(file, each));
  if (!loaded.config) return log::error("SIGHUP: {} is wrong; nothing changes", file);
  if (const auto key = needs_restart(*loaded.config, *config_)) {
    return log::error("SIGHUP: {} changes {}, which needs a restart; nothing changes", file, *key);
  }
  if (const std::string wrong = supervisor_->why_not_now(); !wrong.empty())
    return log::error("SIGHUP: {}; nothing changes, try again", wrong);
  config_ = loaded.config;
  blueprint_->adopt(config_, std::get<std::string>(text));
  supervisor_->scale(nodes_of(*config_));
}

// Nothing waits for who reads: lines that find no room are dropped and counted.
void Up::on_line(std::string_view id, std::string_view line) {
  log::Writer* const writer = log::access_writer();
  if (writer == nullptr) return;
  const bool json = config_->log.format == config::LogFormat::json;
  writer->put(json ? bundle::tagged_json(id, line) : bundle::tagged(id, line));
}

void Up::on_all_ready() {
  for (const bundle::ChildView& each : supervisor_->overview().children) {
    if (each.kind == bundle::Kind::proxy) log::info("ready: everything is healthy; visit {}", each.address);
  }
  notify_supervisor("READY=1");
}

void Up::on_end(bool clean) {
  clean_ = clean_ && clean;
  loop_.stop();
}

}  // namespace

int run_up(const std::string& file) {
  net::hold_signals({SIGTERM, SIGINT, SIGCHLD});
  raise_descriptor_limit();  // three a child
  std::string owners;
  config::Loaded loaded;
  if (file.empty()) {
    owners = "[bundle]\n";
    loaded = config::load_text(owners, "");
  } else {
    const auto text = config::read_file(file);
    if (const auto* no = std::get_if<config::Problem>(&text)) {
      loaded.problems.push_back(*no);
    } else {
      owners = std::get<std::string>(text);
      loaded = config::load_text(owners, file);
    }
  }
  for (const config::Problem& each : loaded.problems) std::cerr << config::format(file, each) << '\n';
  if (!loaded.config) return 1;
  const std::unique_ptr<bundle::Screen> screen = bundle::Screen::open();  // it goes last, after the log
  if (!start_up_log(loaded.config->log, screen ? screen->log_path() : "/dev/stdout")) return 1;
  for (const config::Problem& each : loaded.warnings) log::warn("{}", config::format(file, each));
  int code = 1;
  try {
    code = Up(loaded.config, std::move(owners), screen.get()).run();
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
  log::stop();
  return code;
}

}  // namespace limpet
