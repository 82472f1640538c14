// The open packet's text: keys in the order that clients' tests know. Pure.
#pragma once

#include <string>
#include <string_view>

#include "backend/engine/server.h"

namespace limpet::engine {

// 0{"sid":"...","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}
std::string open_packet(std::string_view sid, const Options& options, bool over_polling);

}  // namespace limpet::engine
