#include "proxy/read_again.h"

#include <sys/stat.h>

#include "proxy/config/load.h"
#include "proxy/log/log.h"

namespace limpet {

// A pipe gave what it had at the start, and would hold us up.
std::optional<ReadAgain> read_again(const std::string& file) {
  struct stat info;
  if (::stat(file.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    log::error("SIGHUP: {} is not a regular file; nothing changes", file);
    return std::nullopt;
  }
  auto text = config::read_file(file);
  config::Loaded loaded;
  if (const auto* no = std::get_if<config::Problem>(&text)) {
    loaded.problems = {*no};
  } else {
    loaded = config::load_text(std::get<std::string>(text), file);
  }
  for (const config::Problem& each : loaded.problems) log::error("{}", config::format(file, each));
  if (!loaded.config) {
    log::error("SIGHUP: {} is wrong; nothing changes", file);
    return std::nullopt;
  }
  for (const config::Problem& each : loaded.warnings) log::warn("{}", config::format(file, each));
  return ReadAgain{std::move(loaded.config), std::move(std::get<std::string>(text))};
}

}  // namespace limpet
