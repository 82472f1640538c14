// Base64 of binary messages on carriers of text. Pure.
#pragma once

#include <string>
#include <string_view>

namespace limpet::codec {

constexpr std::size_t base64_size(std::size_t bytes) {
  return (bytes + 2) / 3 * 4;
}
void append_base64(std::string& out, std::string_view bytes);  // standard alphabet, padded

// As lenient as Node.js: both alphabets, padding may be missing, other characters are skipped, what comes
// after a `=` is nothing. Replaces `out`.
void decode_base64(std::string_view text, std::string& out);

}  // namespace limpet::codec
