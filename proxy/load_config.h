// A configuration file for a person at a command line.
#pragma once

#include <memory>
#include <string>

#include "proxy/config/load.h"

namespace limpet {

// Prints what is wrong with it to standard error; nullptr if anything is. Its warnings are printed too.
std::shared_ptr<const config::Config> load_config(const std::string& file);

}  // namespace limpet
