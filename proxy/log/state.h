// The process's writers. Set by start(), taken back by stop(); read by every thread.
#pragma once

#include "proxy/log/writer.h"

namespace limpet::log {

Writer* access_writer();  // nullptr: no access log
bool access_as_json();

}  // namespace limpet::log
