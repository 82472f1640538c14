// base64url without padding, as JSON Web Tokens have it (RFC 7515, 2). Strict: one text a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace limpet::app {

// Nothing if a byte is not of the alphabet, the length is impossible, or the last character has bits that say
// nothing.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace limpet::app
