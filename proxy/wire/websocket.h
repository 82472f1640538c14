// The WebSocket opening handshake (RFC 6455, 4): checks on both sides of a proxy. Frames come later.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/wire/head.h"

namespace limpet::wire {

// Nothing if `head`, which asks for an upgrade, is a valid WebSocket handshake (GET, HTTP/1.1, no body,
// exactly one Upgrade field that is `websocket`, one Sec-WebSocket-Key of 16 decoded bytes, version 13, valid
// subprotocol tokens), else why not. `Upgrade: h2c` alone is not a fault of the request: see
// asks_websocket().
std::optional<Fault> check_handshake(const RequestHead& head);

// True if any Upgrade field names `websocket` and Connection names `upgrade`. An upgrade that does not ask
// for WebSocket is forwarded as an ordinary request without its Upgrade (RFC 9110, 7.8).
bool asks_websocket(const RequestHead& head);

// base64(SHA-1(key + GUID)): always 28 characters.
std::string accept_for(std::string_view key);

// What must be remembered of a request to judge its 101.
struct Offer {
  std::string key;
  std::string protocols;  // as sent, all fields joined by ","; empty: none offered
  std::string extensions;
};
Offer offer_of(const RequestHead& head);

// Nothing if this 101 answers `offer`: Upgrade is exactly websocket, Connection has upgrade, the accept value
// is right, a subprotocol and every extension were offered, no body framing. Else upgrade_mismatch.
std::optional<Fault> check_switching(const ResponseHead& answer, const Offer& offer);

}  // namespace limpet::wire
