#include "tests/bench/load/handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <strings.h>

#include <charconv>

namespace limpet::bench {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  unsigned char encoded[32];
  const int length = EVP_EncodeBlock(encoded, digest, sizeof digest);
  return {reinterpret_cast<char*>(encoded), static_cast<std::size_t>(length)};
}

std::string_view field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != head.npos;) {
    at += 2;
    const std::size_t end = head.find("\r\n", at);
    if (end == head.npos) break;
    const std::string_view line = head.substr(at, end - at);
    const std::size_t colon = line.find(':');
    if (colon != line.npos && same(line.substr(0, colon), name)) return trimmed(line.substr(colon + 1));
    at = end;
  }
  return {};
}

bool has_token(std::string_view value, std::string_view token) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    if (same(trimmed(value.substr(0, comma)), token)) return true;
    if (comma == value.npos) break;
    value.remove_prefix(comma + 1);
  }
  return false;
}

bool to_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace limpet::bench
