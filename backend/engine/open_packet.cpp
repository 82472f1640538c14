#include "backend/engine/open_packet.h"

namespace limpet::engine {

std::string open_packet(std::string_view sid, const Options& options, bool over_polling) {
  const bool upgrades = over_polling && options.websocket && options.allow_upgrades;
  std::string out = R"(0{"sid":")";
  out += sid;
  out += upgrades ? R"(","upgrades":["websocket"],"pingInterval":)" : R"(","upgrades":[],"pingInterval":)";
  out += std::to_string(options.ping_interval_ms);
  out += R"(,"pingTimeout":)" + std::to_string(options.ping_timeout_ms);
  out += R"(,"maxPayload":)" + std::to_string(options.max_payload) + '}';
  return out;
}

}  // namespace limpet::engine
