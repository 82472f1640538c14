#include "proxy/start_log.h"

#include <unistd.h>

#include <iostream>

#include "proxy/log/log.h"

namespace limpet {
namespace {

bool start(const config::Log& wanted, log::Settings settings) {
  settings.level = static_cast<log::Level>(wanted.level);
  settings.json = wanted.format == config::LogFormat::json;
  try {
    log::start(settings);
    return true;
  } catch (const std::exception& error) {
    std::cerr << "limpet: cannot open the log: " << error.what() << '\n';
    return false;
  }
}

}  // namespace

bool start_log(const config::Log& wanted) {
  log::Settings settings;
  settings.file = wanted.file.value_or("");
  settings.access = wanted.access;
  settings.access_file = wanted.access_file.value_or("");
  return start(wanted, std::move(settings));
}

bool start_log_of_all(const config::Log& wanted, const std::string& here, bool screen) {
  log::Settings settings;
  settings.file = wanted.file.value_or(here);
  settings.access = false;
  settings.carries = true;
  settings.tells = !screen || ::isatty(STDERR_FILENO) == 0;
  return start(wanted, std::move(settings));
}

}  // namespace limpet
