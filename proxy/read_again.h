// What SIGHUP reads.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/config/config.h"

namespace limpet {

struct ReadAgain {
  std::shared_ptr<const config::Config> config;
  std::string text;  // what it was read from
};

// Nothing if it cannot be used; the log says why, and what its warnings are.
std::optional<ReadAgain> read_again(const std::string& file);

}  // namespace limpet
