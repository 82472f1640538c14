// The fields of a complete head, taken apart by llhttp. Internal to proxy/wire.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/wire/head.h"

namespace limpet::wire {

enum class Side : std::uint8_t { request, response };

// `block` is everything after the start line, the empty line included. Fills `fields`; names why llhttp
// refuses. The start line stays out of it: llhttp has a closed list of methods, and any token is one (RFC
// 9110, 9.1).
std::optional<Fault> parse_fields(Side side, std::string_view block, FieldList& fields);

}  // namespace limpet::wire
