#include "proxy/usage.h"

#include <CLI/CLI.hpp>
#include <string_view>
#include <vector>

#include "proxy/config/values.h"
#include "proxy/log/escape.h"
#include "proxy/secrets.h"

namespace limpet {
namespace {

std::string shown(std::string_view text) {
  return log::escaped(text, log::Style::message, 80);
}

std::string commands_of(const CLI::App& app) {
  std::string all;
  for (const CLI::App* each : app.get_subcommands({})) all += (all.empty() ? "" : ", ") + each->get_name();
  return all;
}

std::string unexpected(const CLI::App& command, const std::string& argument) {
  if (argument.empty() || argument[0] != '-')
    return '"' + shown(without_password(argument)) + "\" is not expected; a value follows its flag";
  const std::string flag = argument.substr(0, argument.find('='));
  std::vector<std::string> names;
  for (const CLI::Option* each : command.get_options({})) {
    for (const std::string& name : each->get_lnames()) names.push_back("--" + name);
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view near = config::nearest(flag, candidates);
  return "there is no flag " + shown(flag) +
         (near.empty() ? "" : " (did you mean " + std::string(near) + "?)");
}

// CLI11's "--listen: 1 required ADDRESS missing".
std::string without_value(const CLI::App& command, const CLI::ParseError& error) {
  const std::string what = error.what();
  const std::string flag = what.substr(0, what.find(':'));
  const CLI::Option* option = command.get_option_no_throw(flag);
  if (option == nullptr) return shown(what);
  return flag + " needs a value: " + option->get_type_name();
}

}  // namespace

std::string usage_fault(const CLI::App& app, const CLI::ParseError& error) {
  const auto parsed = app.get_subcommands();
  const CLI::App& command = parsed.empty() ? app : *parsed.front();
  const std::string name = parsed.empty() ? "limpet" : "limpet " + command.get_name();
  const std::vector<std::string> left = command.remaining();
  std::string why;
  if (!left.empty())
    why = unexpected(command, left.front());
  else if (parsed.empty())
    why = "a command is missing; there are " + commands_of(app);
  else if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
    why = without_value(command, error);
  else
    why = shown(error.what());
  return name + ": " + why + "; see " + name + " --help";
}

}  // namespace limpet
