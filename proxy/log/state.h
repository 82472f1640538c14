// The process's writer of requests, as access() finds it.
#pragma once

#include "proxy/log/writer.h"

namespace limpet::log {

Writer* access_writer();  // nullptr: no access log. What it points to is never destroyed.
bool access_as_json();

}  // namespace limpet::log
