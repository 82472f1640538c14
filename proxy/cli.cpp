#include "proxy/cli.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <iostream>

#include "proxy/admin/client.h"
#include "proxy/config/load.h"
#include "proxy/log/log.h"
#include "proxy/service.h"

namespace limpet {
namespace {

namespace json = boost::json;

constexpr int kUsage = 2;

// Prints what is wrong with a file; null if anything is.
std::shared_ptr<const config::Config> load(const std::string& file) {
  config::Loaded loaded = config::load_file(file);
  for (const config::Problem& each : loaded.problems) std::cerr << config::format(file, each) << '\n';
  for (const config::Problem& each : loaded.warnings)
    std::cerr << config::format(file, each) << " (warning)\n";
  return loaded.config;
}

int check(const std::string& file) {
  const auto config = load(file);
  if (!config) return 1;
  std::cout << file << ": ok\n";
  return 0;
}

int run(const std::string& file) {
  const auto config = load(file);
  if (!config) return 1;
  log::Settings settings;
  settings.level = static_cast<log::Level>(config->log.level);
  settings.json = config->log.format == config::LogFormat::json;
  settings.file = config->log.file.value_or("");
  settings.access = config->log.access;
  settings.access_file = config->log.access_file.value_or("");
  try {
    log::start(settings);
  } catch (const std::exception& error) {
    std::cerr << "limpet: cannot open the log: " << error.what() << '\n';
    return 1;
  }
  int code = 1;
  try {
    Service service(config);
    code = service.run();
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
  log::stop();
  return code;
}

// --- talking to a running proxy ---

struct Remote {
  std::string file;     // -c: its [admin] address
  std::string address;  // --admin: as in the file
  bool json = false;
};

std::optional<net::Address> admin_address(const Remote& remote) {
  config::Endpoint endpoint;
  if (!remote.address.empty()) {
    const auto parsed = config::parse_endpoint(remote.address);
    if (!parsed) {
      std::cerr << "limpet: --admin " << remote.address
                << ": not an address (unix:/path or 127.0.0.1:port)\n";
      return std::nullopt;
    }
    endpoint = *parsed;
  } else if (!remote.file.empty()) {
    const auto config = load(remote.file);
    if (!config) return std::nullopt;
    endpoint = config->admin.address;
  } else {
    endpoint.kind = config::Endpoint::Kind::unix_socket;
    endpoint.path = config::default_admin_path();
  }
  if (endpoint.kind == config::Endpoint::Kind::unix_socket) return net::Address::unix_socket(endpoint.path);
  const auto ip = wire::IpAddress::parse(endpoint.host);
  if (!ip) return std::nullopt;
  return net::Address::ip(*ip, endpoint.port);
}

std::optional<std::string> ask(const Remote& remote, std::string_view method, std::string_view path) {
  const auto address = admin_address(remote);
  if (!address) return std::nullopt;
  const admin::Fetched answer = admin::fetch(*address, method, path);
  if (answer.status == 0) {
    std::cerr << "limpet: " << answer.error << " (is limpet running, and is this its [admin] address?)\n";
    return std::nullopt;
  }
  if (answer.status == 200) return answer.body;
  boost::system::error_code bad;
  const json::value body = json::parse(answer.body, bad);
  const json::value* message = bad || !body.is_object() ? nullptr : body.as_object().if_contains("error");
  std::cerr << "limpet: "
            << (message && message->is_string() ? std::string(message->as_string()) : answer.body) << '\n';
  return std::nullopt;
}

std::string cell(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return "";
  return value->is_string() ? std::string(value->as_string()) : json::serialize(*value);
}

std::string duration_text(std::uint64_t ms) {
  const std::uint64_t s = ms / 1000;
  if (s < 120) return std::to_string(s) + "s";
  if (s < 7200) return std::to_string(s / 60) + "m";
  if (s < 48 * 3600) return std::to_string(s / 3600) + "h";
  return std::to_string(s / 86400) + "d";
}

int print_status(const std::string& text) {
  boost::system::error_code bad;
  const json::value parsed = json::parse(text, bad);
  if (bad || !parsed.is_object()) {
    std::cerr << "limpet: the answer is not limpet's\n";
    return 1;
  }
  const json::object& status = parsed.as_object();
  std::cout << "limpet " << cell(status, "version") << ", " << cell(status, "stage") << ", "
            << (cell(status, "ready") == "true" ? "ready" : "not ready") << ", "
            << cell(status, "connections") << " connections of at most " << cell(status, "max_connections")
            << ", " << cell(status, "requests_total") << " requests\n";
  std::printf("%-24s %-12s %-9s %8s %9s  %s\n", "SERVER", "STATE", "FOR", "TUNNELS", "REQUESTS", "REASON");
  for (const json::value& pool : status.at("pools").as_array()) {
    for (const json::value& each : pool.at("servers").as_array()) {
      const json::object& server = each.as_object();
      const std::string wanted = cell(server, "wanted");
      const std::string state = wanted == "serving" ? cell(server, "state") : wanted;
      std::printf("%-24s %-12s %-9s %8s %9s  %s\n",
                  (cell(pool.as_object(), "name") + "/" + cell(server, "id")).c_str(), state.c_str(),
                  duration_text(server.at("state_for_ms").to_number<std::uint64_t>()).c_str(),
                  cell(server, "tunnels").c_str(), cell(server, "requests").c_str(),
                  cell(server, "reason").c_str());
    }
  }
  return 0;
}

int status(const Remote& remote) {
  const auto text = ask(remote, "GET", "/status");
  if (!text) return 1;
  if (!remote.json) return print_status(*text);
  std::cout << *text;
  return 0;
}

// "ID" alone is looked up in all pools and must be in one only.
std::optional<std::string> full_name(const Remote& remote, const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const auto text = ask(remote, "GET", "/status");
  if (!text) return std::nullopt;
  const json::value status = json::parse(*text);
  std::vector<std::string> found;
  for (const json::value& pool : status.at("pools").as_array()) {
    for (const json::value& server : pool.at("servers").as_array()) {
      if (server.at("id").as_string() == name)
        found.push_back(std::string(pool.at("name").as_string()) + "/" + name);
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    std::cerr << "limpet: no pool has a server \"" << name << "\"\n";
  } else {
    std::cerr << "limpet: server \"" << name << "\" is in several pools; name one:";
    for (const std::string& each : found) std::cerr << ' ' << each;
    std::cerr << '\n';
  }
  return std::nullopt;
}

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' || c == ':';
    if (plain) {
      out += c;
    } else {
      char escaped[4];
      std::snprintf(escaped, sizeof(escaped), "%%%02X", static_cast<unsigned char>(c));
      out += escaped;
    }
  }
  return out;
}

int operate(const Remote& remote, const std::string& name, const std::string& verb) {
  const auto full = full_name(remote, name);
  if (!full) return 1;
  const std::size_t slash = full->find('/');
  const std::string path =
      "/pools/" + encode(full->substr(0, slash)) + "/servers/" + encode(full->substr(slash + 1)) + "/" + verb;
  const auto text = ask(remote, "POST", path);
  if (!text) return 1;
  if (remote.json) {
    std::cout << *text;
  } else {
    std::cout << *full << (verb == "drain" ? ": draining, no new sessions\n" : ": ready\n");
  }
  return 0;
}

void add_remote_options(CLI::App& command, Remote& remote) {
  command.add_option("-c,--config", remote.file, "configuration file whose [admin] address is meant")
      ->type_name("FILE");
  command.add_option("--admin", remote.address, "admin address, unix:/path or 127.0.0.1:port")
      ->type_name("ADDRESS");
  command.add_flag("--json", remote.json, "print the answer as JSON");
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app{"Layer-7 load balancer and sticky-session proxy for WebSocket and Socket.IO nodes."};
  app.name("limpet");
  app.set_version_flag("--version", std::string("limpet ") + LIMPET_VERSION);
  app.require_subcommand(1);
  app.footer("See limpet(1) and limpet.toml(5).");

  std::string file, name;
  Remote remote;
  CLI::App& run_command = *app.add_subcommand("run", "run the proxy in the foreground");
  run_command.add_option("-c,--config", file, "configuration file")->required()->type_name("FILE");
  CLI::App& check_command = *app.add_subcommand("check", "check a configuration: every error with its place");
  check_command.add_option("-c,--config", file, "configuration file")->required()->type_name("FILE");
  CLI::App& status_command = *app.add_subcommand("status", "show pools, servers and their states");
  add_remote_options(status_command, remote);
  CLI::App& drain_command = *app.add_subcommand("drain", "give a server no new sessions");
  drain_command.add_option("server", name, "[POOL/]ID")->required()->type_name("SERVER");
  add_remote_options(drain_command, remote);
  CLI::App& ready_command = *app.add_subcommand("ready", "let a drained server take sessions again");
  ready_command.add_option("server", name, "[POOL/]ID")->required()->type_name("SERVER");
  add_remote_options(ready_command, remote);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (run_command.parsed()) return run(file);
  if (check_command.parsed()) return check(file);
  if (status_command.parsed()) return status(remote);
  return operate(remote, name, drain_command.parsed() ? "drain" : "ready");
}

}  // namespace limpet
