#include "proxy/cli.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "proxy/load_config.h"
#include "proxy/log/escape.h"
#include "proxy/log/log.h"
#include "proxy/net/signals.h"
#include "proxy/node_command.h"
#include "proxy/placement.h"
#include "proxy/remote.h"
#include "proxy/secrets.h"
#include "proxy/service.h"
#include "proxy/start_log.h"
#include "proxy/up_command.h"
#include "proxy/usage.h"

namespace limpet {
namespace {

constexpr int kUsage = 2;

void print_problems(const std::string& file, const std::vector<config::Problem>& problems, const char* what) {
  for (const config::Problem& each : problems) std::cerr << config::format(file, each) << what << '\n';
}

int check(const std::string& file) {
  const auto config = load_config(file);
  if (!config) return 1;
  // It may be meant for another machine: what this one cannot do is no error yet.
  print_problems(file, place_workers(config->proxy, net::usable_cpus()).problems, " (warning)");
  for (const config::Pool& pool : config->pools) {
    for (const config::Server& name : pool.names) {
      std::cout << file << ": pool." << pool.name << ": " << name.id << ": a server for each address of "
                << name.address.host << ", with the id ADDRESS:" << name.address.port << '\n';
    }
  }
  std::cout << file << ": ok\n";
  return 0;
}

int run(const std::string& file) {
  net::hold_signals({SIGTERM, SIGINT});
  const config::Loaded loaded = config::load_file(file);
  print_problems(file, loaded.problems, "");
  const auto& config = loaded.config;
  if (!config) return 1;
  if (config->bundle) {
    std::cerr << file << ": there is a table [bundle]: this file is for `limpet up`\n";
    return 1;
  }
  if (config->listeners.empty()) {
    std::cerr << file << ": there is no listener, so there is nothing to run; `limpet node` serves [node]\n";
    return 1;
  }
  if (!start_log(config->log)) return 1;
  for (const config::Problem& each : loaded.warnings) log::warn("{}", config::format(file, each));
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

void add_remote_options(CLI::App& command, Remote& remote) {
  command.add_option("-c,--config", remote.file, "configuration file whose [admin] address is meant")
      ->type_name("FILE");
  command.add_option("--admin", remote.address, "admin address, unix:/path or 127.0.0.1:port")
      ->type_name("ADDRESS");
  command.add_flag("--json", remote.json, "print the answer as JSON");
}

// CLI11 would only say that a command is missing.
bool names_unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return false;
  std::string known;
  for (const CLI::App* each : app.get_subcommands({})) {
    if (each->get_name() == argv[1]) return false;
    known += (known.empty() ? "" : ", ") + each->get_name();
  }
  std::cerr << "limpet: there is no command \""
            << log::escaped(without_password(argv[1]), log::Style::message, 80) << "\"; there are " << known
            << '\n';
  return true;
}

}  // namespace

std::shared_ptr<const config::Config> load_config(const std::string& file) {
  config::Loaded loaded = config::load_file(file);
  print_problems(file, loaded.problems, "");
  print_problems(file, loaded.warnings, " (warning)");
  return loaded.config;
}

int run_command_line(int argc, char** argv) {
  CLI::App app{"Layer-7 load balancer and sticky-session proxy for WebSocket and Socket.IO nodes."};
  app.name("limpet");
  app.set_version_flag("--version", std::string("limpet ") + LIMPET_VERSION);
  app.require_subcommand(1);
  app.footer("See limpet(1), limpet-node(1) and limpet.toml(5).");

  std::string file, name;
  Remote remote;
  CLI::App& run_command = *app.add_subcommand("run", "run the proxy in the foreground");
  run_command.add_option("-c,--config", file, "configuration file")->required()->type_name("FILE");
  CLI::App& up_command = *app.add_subcommand("up", "run the bundle: the proxy, nodes and Redis, supervised");
  up_command.add_option("-c,--config", file, "configuration file; without one every default")
      ->type_name("FILE");
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

  CLI::App& restart_command =
      *app.add_subcommand("restart", "restart the nodes of limpet up, one after another");
  add_remote_options(restart_command, remote);
  std::uint32_t nodes = 0;
  CLI::App& scale_command = *app.add_subcommand("scale", "another number of nodes of limpet up");
  constexpr std::uint32_t kMost = config::Bundle::kMostNodes;
  scale_command.add_option("nodes", nodes, "how many, 1 to " + std::to_string(kMost))
      ->required()
      ->check(CLI::Range(1u, kMost))
      ->type_name("N");
  add_remote_options(scale_command, remote);

  const NodeCommand node_command(app);

  if (names_unknown_command(app, argc, argv)) return kUsage;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::cerr << usage_fault(app, error) << '\n';
    return kUsage;
  }
  hide_secrets(argc, argv);
  if (run_command.parsed()) return run(file);
  if (up_command.parsed()) return run_up(file);
  if (check_command.parsed()) return check(file);
  if (node_command.parsed()) return node_command.run();
  if (restart_command.parsed()) return run_operation(remote, "restart");
  if (scale_command.parsed()) return run_operation(remote, "scale/" + std::to_string(nodes));
  if (status_command.parsed()) return show_status(remote);
  return operate(remote, name, drain_command.parsed() ? "drain" : "ready");
}

}  // namespace limpet
