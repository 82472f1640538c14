// health_settings: a pool's [health] table in the words of health.
#pragma once

#include "health/settings.h"
#include "proxy/config/config.h"

namespace limpet::config {

inline health::Settings health_settings(const Health& from) {
  health::Settings to;
  switch (from.type) {
    case HealthType::http: to.type = health::Settings::Type::http; break;
    case HealthType::tcp: to.type = health::Settings::Type::tcp; break;
    case HealthType::off: to.type = health::Settings::Type::off; break;
  }
  to.path = from.path;
  to.method = from.method;
  to.host = from.host;
  to.headers = from.headers;
  to.expect = from.expect;
  to.body = from.body;
  to.port = from.port;
  to.interval_ms = ms(from.interval);
  to.fast_interval_ms = ms(from.fast_interval);
  to.timeout_ms = ms(from.timeout);
  to.slow_start_ms = ms(from.slow_start);
  to.jitter = from.jitter;
  to.rise = from.rise;
  to.fall = from.fall;
  return to;
}

}  // namespace limpet::config
