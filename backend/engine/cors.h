// CORS fields (the Fetch standard), in the order and with the defaults that the `cors` middleware of Node.js
// has. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backend/engine/server.h"

namespace limpet::engine {

// Appends the fields of an ordinary answer, each with its CRLF. No origin: the request had none.
void append_cors_fields(std::string& out, const Cors& cors, std::optional<std::string_view> origin);

// Of the answer to a preflight: `requested` is Access-Control-Request-Headers, if there was one.
void append_preflight_fields(std::string& out, const Cors& cors, std::optional<std::string_view> origin,
                             std::string_view requested);

// Whether a page of this origin may open a WebSocket at `host` (the Host field): any may without a list, with
// one those in it and those that came from there. Who is no browser has no origin.
bool may_open_websocket(const Cors& cors, std::optional<std::string_view> origin, std::string_view host);

}  // namespace limpet::engine
