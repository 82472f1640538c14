// The log as a configuration wants it. False: it cannot be opened, and standard error says so.
#pragma once

#include <string>

#include "proxy/config/config.h"

namespace limpet {

bool start_log(const config::Log& wanted);
// The bundle's own lines and those of its children go to one place, `here` or the file of [log].
// That some are dropped is told on standard error, unless `here` is a screen and that its terminal.
bool start_log_of_all(const config::Log& wanted, const std::string& here, bool screen);

}  // namespace limpet
