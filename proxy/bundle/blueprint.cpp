#include "proxy/bundle/blueprint.h"

#include <algorithm>

#include "proxy/bundle/launch.h"
#include "proxy/config/derive.h"
#include "proxy/config/health_settings.h"
#include "proxy/config/values.h"

namespace limpet::bundle {
namespace {

// Those of the service manager are meant for the bundle.
constexpr std::string_view kNotForChildren[] = {"NOTIFY_SOCKET",  "LISTEN_FDS",    "LISTEN_PID",
                                                "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"};

constexpr std::uint32_t kSilentCommand = 10;  // of a node that is not ours: its one thread may be busy
constexpr std::uint32_t kSilentOther = 5;

config::Endpoint unix_at(std::string path) {
  config::Endpoint out;
  out.kind = config::Endpoint::Kind::unix_socket;
  out.path = std::move(path);
  return out;
}

config::Endpoint loopback(std::uint16_t port) {
  return {config::Endpoint::Kind::ip, "127.0.0.1", port, {}};
}

// As redis.conf(5) reads a word with spaces.
std::string redis_word(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// As the proxy asks. Where it does not, a connection says that the process lives.
health::Settings probe(const config::Health& health) {
  health::Settings out = config::health_settings(health);
  if (out.type == health::Settings::Type::off) out.type = health::Settings::Type::tcp;
  return out;
}

bool is_public(const config::Endpoint& address) {
  if (address.kind == config::Endpoint::Kind::unix_socket) return false;
  const auto ip = wire::IpAddress::parse(address.host);
  return !ip || !ip->is_loopback();
}

}  // namespace

Blueprint::Blueprint(std::shared_ptr<const config::Config> config, std::string owners, Site site)
    : config_(std::move(config)),
      bundle_(config_->bundle.value_or(config::Bundle{})),
      owners_(std::move(owners)),
      site_(std::move(site)) {}

void Blueprint::adopt(std::shared_ptr<const config::Config> config, std::string owners) {
  config_ = std::move(config);
  owners_ = std::move(owners);
}

std::vector<std::string> Blueprint::environment() const {
  std::vector<std::string> out;
  for (const std::string& each : site_.environment) {
    const std::string_view name = std::string_view(each).substr(0, each.find('='));
    if (std::ranges::find(kNotForChildren, name) == std::end(kNotForChildren)) out.push_back(each);
  }
  return out;
}

// --- Redis ---

ChildSpec Blueprint::redis() const {
  ChildSpec spec;
  spec.id = "redis";
  spec.kind = Kind::redis;
  spec.command = {"redis-server", file("redis.conf")};
  spec.environment = environment();
  spec.check.type = Check::Type::redis;
  spec.check.address = unix_at(file("redis.sock"));
  spec.check.password = site_.redis_password;
  spec.check.silent_most = kSilentOther;
  spec.address = spec.check.address.text();
  return spec;
}

// It keeps nothing: what nodes have in it is of sessions that end with them.
std::string Blueprint::redis_document() const {
  std::string text = "unixsocket " + redis_word(file("redis.sock")) +
                     "\nunixsocketperm 600\nsave \"\"\nappendonly no\ndir " + redis_word(site_.folder) +
                     "\ndaemonize no\nsupervised no\n";
  text += "port " + std::to_string(site_.redis_port) + "\n";
  if (site_.redis_port != 0) text += "bind 127.0.0.1\n";
  if (!site_.redis_password.empty()) text += "requirepass " + site_.redis_password + "\n";
  return text;
}

std::string Blueprint::url_for_commands() const {
  if (!manages_redis()) return site_.redis_url;
  return "redis://:" + site_.redis_password + "@127.0.0.1:" + std::to_string(site_.redis_port);
}

// --- nodes ---

ChildSpec Blueprint::node(std::uint32_t number, std::uint16_t port) const {
  ChildSpec spec;
  spec.id = "n" + std::to_string(number);
  const config::Endpoint listen = port != 0 ? loopback(port) : unix_at(file(spec.id + ".sock"));
  spec.check.address = listen;
  spec.address = listen.text();
  spec.environment = environment();
  for (const auto& [name, value] : bundle_.environment) {
    std::erase_if(spec.environment, [&](const std::string& each) { return each.starts_with(name + "="); });
    spec.environment.push_back(name + "=" + value);
  }
  if (!own_nodes()) {
    spec.command = bundle_.command;
    spec.check.silent_most = kSilentCommand;
    if (const config::Pool* pool = config_->find_pool(config::Bundle::kPool))
      spec.check.http = probe(pool->health);
    const auto set = [&](const std::string& name, const std::string& value) {
      std::erase_if(spec.environment, [&](const std::string& each) { return each.starts_with(name + "="); });
      spec.environment.push_back(name + "=" + value);
    };
    set("PORT", std::to_string(port));
    set("SERVER_ID", spec.id);
    set("REDIS_URL", url_for_commands());
    if (manages_redis()) set("REDIS_SOCKET", file("redis.sock"));
    return spec;
  }
  const bool streams = bundle_.adapter == config::BundleAdapter::redis_streams;
  const config::Duration window =
      std::min(config_->node.drain_window, config::Bundle::drain_window_after(config_->proxy.shutdown_delay));
  spec.admin = "unix:" + file(spec.id + ".admin.sock");
  spec.command = {kThisProgram,
                  "node",
                  "-c",
                  file("node.toml"),
                  "--listen",
                  listen.text(),
                  "--id",
                  spec.id,
                  "--admin",
                  spec.admin,
                  "--redis",
                  redis_of_nodes(),
                  "--adapter",
                  streams ? "redis_streams" : "redis",
                  "--drain-window",
                  config::duration_text(window)};
  if (config_->file.empty()) spec.command.push_back("--page");  // with a file it is [node] page
  if (streams && config_->node.stream == config::Node{}.stream) {
    spec.command.insert(spec.command.end(), {"--stream", "socket.io-stream"});
  }
  return spec;
}

std::string Blueprint::redis_of_nodes() const {
  return manages_redis() ? "unix:" + file("redis.sock") : "file:" + file("redis.url");
}

std::string Blueprint::node_document() const {
  return config::node_document(owners_, redis_of_nodes(), bundle_.adapter);
}

// --- the proxy ---

ChildSpec Blueprint::proxy() const {
  ChildSpec spec;
  spec.id = "proxy";
  spec.kind = Kind::proxy;
  spec.command = {kThisProgram, "run", "-c", file("limpet.toml")};
  spec.environment = environment();
  spec.check.address = unix_at(file("proxy.sock"));
  spec.check.http.path = "/ready";
  spec.check.silent_most = kSilentOther;
  spec.admin = spec.check.address.text();
  spec.address = site_.listener;
  for (const config::Listener& each : config_->listeners) {
    spec.address += (spec.address.empty() ? "" : ", ") + each.address.text();
  }
  return spec;
}

std::string Blueprint::proxy_document(const std::vector<ChildSpec>& nodes) const {
  config::BundleProxy proxy;
  for (const ChildSpec& each : nodes) proxy.servers.emplace_back(each.id, each.address);
  proxy.cookie = !own_nodes();
  proxy.listener = site_.listener;
  proxy.admin = "unix:" + file("proxy.sock");
  proxy.quiet = config_->file.empty();
  proxy.drain_timeout = config::Bundle::kBudget;
  return config::proxy_document(owners_, proxy);
}

std::vector<std::pair<std::string, std::string>> Blueprint::files() const {
  std::vector<std::pair<std::string, std::string>> out;
  if (manages_redis()) out.emplace_back("redis.conf", redis_document());
  if (own_nodes()) out.emplace_back("node.toml", node_document());
  if (!manages_redis() && own_nodes()) out.emplace_back("redis.url", site_.redis_url + "\n");
  return out;
}

std::vector<std::string> Blueprint::warnings() const {
  std::vector<std::string> out;
  if (!own_nodes() || config_->node.jwt_key) return out;
  for (const config::Listener& each : config_->listeners) {
    if (!is_public(each.address)) continue;
    out.push_back(
        each.address.text() +
        " is reachable from elsewhere and [node] has no jwt_key: whoever visits may call himself any "
        "user, join any room and send to all of them");
  }
  return out;
}

}  // namespace limpet::bundle
