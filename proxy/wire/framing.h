// Where a message ends and what becomes of its connection, from its fields alone (RFC 9112, 6 and 9).
// Internal to proxy/wire.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "proxy/wire/head.h"

namespace limpet::wire {

struct Framing {
  std::optional<Fault> fault;
  std::optional<std::uint64_t> length;  // Content-Length
  bool chunked = false;
  bool coding = false;  // a Transfer-Encoding field, of whatever value
  bool close = false;   // Connection options
  bool keep_alive = false;
  bool upgrade = false;  // the option `upgrade`, and an Upgrade field
};
Framing read_framing(std::span<const Field> fields, std::uint8_t minor);

}  // namespace limpet::wire
