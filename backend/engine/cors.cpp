#include "backend/engine/cors.h"

#include <algorithm>

#include "proxy/wire/head.h"

namespace limpet::engine {
namespace {

void add(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

bool any_origin(const Cors& cors) {
  return std::ranges::find(cors.origins, "*") != cors.origins.end();
}

void add_origin(std::string& out, const Cors& cors, std::optional<std::string_view> origin) {
  if (any_origin(cors)) {
    add(out, "Access-Control-Allow-Origin", "*");
  } else if (origin && std::ranges::find(cors.origins, *origin) != cors.origins.end()) {
    add(out, "Access-Control-Allow-Origin", *origin);
  }
}

void add_credentials(std::string& out, const Cors& cors) {
  if (cors.credentials) add(out, "Access-Control-Allow-Credentials", "true");
}

}  // namespace

void append_cors_fields(std::string& out, const Cors& cors, std::optional<std::string_view> origin) {
  add_origin(out, cors, origin);
  if (!any_origin(cors)) add(out, "Vary", "Origin");
  add_credentials(out, cors);
}

void append_preflight_fields(std::string& out, const Cors& cors, std::optional<std::string_view> origin,
                             std::string_view requested) {
  add_origin(out, cors, origin);
  add(out, "Vary",
      any_origin(cors) ? "Access-Control-Request-Headers" : "Origin, Access-Control-Request-Headers");
  add_credentials(out, cors);
  add(out, "Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE");
  if (!requested.empty()) add(out, "Access-Control-Allow-Headers", requested);
}

// Of an origin the scheme is not compared: a balancer may have taken TLS off.
bool may_open_websocket(const Cors& cors, std::optional<std::string_view> origin, std::string_view host) {
  if (!cors.enabled || !cors.guards_websockets || !origin || any_origin(cors)) return true;
  if (std::ranges::find(cors.origins, *origin) != cors.origins.end()) return true;
  const std::size_t scheme = origin->find("://");
  return scheme != std::string_view::npos && wire::equal_ignoring_case(origin->substr(scheme + 3), host);
}

}  // namespace limpet::engine
