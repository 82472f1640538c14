// The log as a configuration wants it.
#pragma once

#include "proxy/config/config.h"

namespace limpet {

bool start_log(const config::Log& wanted);  // false: it cannot be opened, and standard error says so

}  // namespace limpet
