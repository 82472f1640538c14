// Values: the texts of single values, parsed; each failure explains what is accepted. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/config/config.h"

namespace limpet::config {

struct Wrong {
  std::string why;  // `"1 sec" is not a duration; write ...`
};
template <class T>
using Value = std::variant<T, Wrong>;

std::string quoted(std::string_view text);  // with control bytes escaped, cut at 80 bytes

Value<Duration> to_duration(std::string_view text);   // "500ms", "30s", "5m", "1h", "7d"; at most 365 d
Value<std::uint64_t> to_size(std::string_view text);  // "512", "64KiB", "16MiB", "1GiB"
Value<Endpoint> to_endpoint(std::string_view text);
Value<wire::Cidr> to_cidr(std::string_view text);
Value<std::string> to_host_pattern(
    std::string_view text);  // lower case: "example.org", "*.example.org", an IP literal
Value<std::string> to_prefix(std::string_view text);  // a path: "/", "/socket.io"
Value<std::string> to_token(std::string_view text);   // RFC 9110
Value<std::string> to_server_id(std::string_view text);
Value<std::pair<std::uint16_t, std::uint16_t>> to_status_range(std::string_view text);  // "200", "200-299"
bool is_host_name(std::string_view text);                 // RFC 1123, with underscores
bool is_authority(std::string_view text);                 // a host or address, with or without a port
bool is_field_value(std::string_view text);               // of HTTP: no control bytes but HTAB
bool wire_equal(std::string_view a, std::string_view b);  // any case

// The candidate that `text` was probably meant to be; empty if none is near.
std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates);

}  // namespace limpet::config
