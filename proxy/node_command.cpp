#include "proxy/node_command.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>

#include "proxy/config/check_node.h"
#include "proxy/config/node_flags.h"
#include "proxy/load_config.h"
#include "proxy/log/log.h"
#include "proxy/net/signals.h"
#include "proxy/node_service.h"
#include "proxy/start_log.h"

namespace limpet {
namespace {

constexpr int kUsage = 2;

int complain(const std::string& what) {
  std::cerr << "limpet node: " << what << '\n';
  return kUsage;
}

}  // namespace

NodeCommand::NodeCommand(CLI::App& app) {
  command_ = app.add_subcommand("node", "run one Socket.IO node in the foreground");
  command_->add_option("-c,--config", file_, "configuration file; flags go before its [node]")
      ->type_name("FILE");
  for (const config::NodeFlag& each : config::node_flags()) {
    std::vector<std::string>& values = values_[each.name];
    CLI::Option* option = command_->add_option(each.name, values, each.help);
    option->allow_extra_args(false);
    if (!each.group.empty()) option->group(each.group);
    if (each.type.empty()) {
      option->expected(0, 1)->type_name("[=true]");
    } else {
      option->type_name(each.type);
    }
    if (!each.repeats && !each.type.empty()) option->expected(1);
    if (!each.repeats) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

bool NodeCommand::parsed() const {
  return command_->parsed();
}

int NodeCommand::run() const {
  net::hold_signals({SIGTERM, SIGINT});
  config::Config config;
  if (!file_.empty()) {
    const auto loaded = load_config(file_);
    if (!loaded) return 1;
    config = *loaded;
  }
  bool flags = false;
  for (const config::NodeFlag& each : config::node_flags()) {
    if (command_->count(each.name) == 0) continue;
    flags = true;
    std::vector<std::string> values = values_.at(each.name);
    if (each.type.empty() && (values.empty() || values.back().empty())) values = {"true"};
    if (const auto wrong = config::set_node_flag(config.node, each.name, values))
      return complain(each.name + ": " + *wrong);
  }
  for (const config::NodeFault& fault : config::check_node(config.node))
    return complain(config::flag_of(fault.key) + ": " + fault.why);
  if (!start_log(config.log)) return 1;
  for (const config::NodeFault& idle : config::idle_node_keys(config.node)) {
    if (flags) log::warn("{} {}", idle.key, idle.why);  // of a file alone load_config() has told
  }
  int code = 1;
  try {
    NodeService service(config);
    code = service.run();
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
  log::stop();
  return code;
}

}  // namespace limpet
