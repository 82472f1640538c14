#include "proxy/up_command.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <optional>

#include "proxy/admin/server.h"
#include "proxy/bundle/control.h"
#include "proxy/bundle/launch.h"
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
#include "proxy/net/cpus.h"
#include "proxy/net/fd.h"
#include "proxy/net/listener.h"
#include "proxy/net/signals.h"
#include "proxy/notify.h"
#include "proxy/read_again.h"
#include "proxy/secrets.h"
#include "proxy/start_log.h"

namespace limpet {
namespace {

constexpr std::uint32_t kLeastNodes = 2;

std::uint32_t nodes_of(const config::Config& config) {
  const std::uint32_t wanted = config.bundle ? config.bundle->nodes : 0;
  if (wanted != 0) return wanted;
  return std::max(kLeastNodes, static_cast<std::uint32_t>(net::usable_cpus().size()));
}

bool has_terminal() {
  return net::Fd(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).get() >= 0;
}

// As nohup(1) does. Before Signals takes it.
bool ignores_hangup() {
  struct sigaction action;
  return ::sigaction(SIGHUP, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
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
  std::string addresses() const;
  void show() const;
  void on_signal(const net::Signal& signal);
  bool terminal_has_gone(const net::Signal& hangup) const;
  void rest();
  void reload();
  void on_change() override { show(); }
  void on_line(std::string_view id, std::string_view line) override;
  void on_scaled() override { file_nodes_ = nodes_of(*config_); }
  void on_all_ready() override;
  void on_end(bool clean) override;

  std::shared_ptr<const config::Config> config_;
  std::string owners_;                       // the document of config_
  std::optional<std::uint32_t> file_nodes_;  // that were brought about; unset: they were given up
  bundle::Screen* const screen_;             // null: there is no terminal. It outlives us
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
  const bool follows_terminal_ = has_terminal() && !ignores_hangup();
  bool stopping_ = false;
  bool clean_ = true;
};

// What it may change while everything runs: the number of nodes, and who is in other pools.
std::optional<std::string> needs_restart(config::Config fresh, const config::Config& old) {
  if (fresh.bundle && old.bundle) fresh.bundle->nodes = old.bundle->nodes;
  if (auto key = config::first_difference(old.node, fresh.node)) return key;
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
  file_nodes_ = settings.nodes;
  settings.port = [this](std::uint32_t number) { return bundle::port_of(wanted_, number, *prepared_); };
  settings.shutdown_delay_ms = config::ms(config_->proxy.shutdown_delay);
  supervisor_ = std::make_unique<bundle::Supervisor>(loop_, prepared_->folder, *blueprint_, settings, *this);
  signals_ = std::make_unique<net::Signals>(
      loop_, std::initializer_list<int>{SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGCHLD, SIGTSTP},
      [this](const net::Signal& signal) { on_signal(signal); });
  signals_->keep();  // our files and the terminal are put right after them
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

// Whoever closes a terminal sends SIGHUP, too, and means the end: the kernel does, and the shell that the
// terminal was given to. One of anybody else asks for a reload, with a terminal and after it.
bool Up::terminal_has_gone(const net::Signal& hangup) const {
  if (!follows_terminal_) return false;
  return hangup.of_kernel || (hangup.sender > 0 && hangup.sender == ::getsid(0) && !has_terminal());
}

void Up::on_signal(const net::Signal& signal) {
  switch (signal) {
    case SIGCHLD: return supervisor_->reap();
    case SIGHUP:
      if (!terminal_has_gone(signal)) return reload();
      if (stopping_) return;  // the kernel and the shell may both have said so
      break;
    case SIGUSR1: log::reopen(); return supervisor_->reopen_logs();
    case SIGTSTP: return rest();
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

// As it would have been without us, but that the shell gets its terminal back first.
void Up::rest() {
  if (screen_ != nullptr) screen_->leave();
  net::take_default(SIGTSTP);
  if (screen_ != nullptr) screen_->come_back();
}

void Up::reload() {
  const std::string& file = config_->file;
  if (file.empty()) return log::info("SIGHUP: there is no configuration file, so that nothing changes");
  auto fresh = read_again(file);
  if (!fresh) return;
  if (const auto key = needs_restart(*fresh->config, *config_)) {
    return log::error("SIGHUP: {} changes {}, which needs a restart; nothing changes", file, *key);
  }
  const std::uint32_t nodes = nodes_of(*fresh->config);
  const bool other_nodes = nodes != file_nodes_;  // if not, it is as many as an operator wants
  const std::string servers = config::describe_servers(*config_, *fresh->config);
  if (!other_nodes && servers.empty()) return log::info("SIGHUP: nothing has changed in {}", file);
  if (const std::string wrong = supervisor_->why_not_now(); !wrong.empty())
    return log::error("SIGHUP: {}; nothing changes, try again", wrong);
  blueprint_->adopt(fresh->config, fresh->text);
  if (!servers.empty()) {
    if (const std::string wrong = supervisor_->tell_proxy(); !wrong.empty()) {
      blueprint_->adopt(config_, owners_);
      return log::error("SIGHUP: {}; nothing changes, try again", wrong);
    }
    log::info("SIGHUP: {}", servers);
  }
  config_ = std::move(fresh->config);
  owners_ = std::move(fresh->text);
  if (!other_nodes) return;
  file_nodes_.reset();
  supervisor_->scale(nodes);
}

// Nothing waits for who reads: lines that find no room are dropped and counted.
void Up::on_line(std::string_view id, std::string_view line) {
  const bool json = config_->log.format == config::LogFormat::json;
  log::carry(json ? bundle::tagged_json(id, line) : bundle::tagged(id, line));
}

// As a browser takes it.
std::string Up::addresses() const {
  std::string out = config_->listeners.empty() ? "http://" + prepared_->site.listener : std::string();
  for (const config::Listener& each : config_->listeners) {
    const bool by_path = each.address.kind == config::Endpoint::Kind::unix_socket;
    out += (out.empty() ? "" : ", ") + std::string(by_path ? "" : "http://") + each.address.text();
  }
  return out;
}

void Up::on_all_ready() {
  log::info("ready: everything is healthy; visit {}", addresses());
  notify_supervisor("READY=1");
}

void Up::on_end(bool clean) {
  clean_ = clean_ && clean;
  loop_.stop();
}

}  // namespace

int run_up(const std::string& file) {
  net::hold_signals({SIGTERM, SIGINT, SIGQUIT, SIGCHLD, SIGTSTP});
  bundle::raise_own_descriptor_limit();  // three a child
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
  if (!start_log_of_all(loaded.config->log, screen ? screen->log_path() : "/dev/stdout", screen != nullptr))
    return 1;
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
