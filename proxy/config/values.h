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

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
std::string lower(std::string_view text);
std::string upper(std::string_view text);

std::string quoted(std::string_view text, std::size_t most = 80);  // control bytes escaped, cut at `most`
std::string duration_text(Duration d);                             // as a file would write it: "500ms", "7d"
std::string size_text(std::uint64_t bytes);                        // likewise

// "500ms", "30s", "5m", "1h", "7d". What is beyond 365 d, be it by a lot, is the greatest Duration.
Value<Duration> to_duration(std::string_view text);
// "512", "64KiB", "16MiB", "1GiB". What is beyond 2^50 is the greatest number.
Value<std::uint64_t> to_size(std::string_view text);

// "/tmp/./a" is "/tmp/a"; of a folder it ends in "/". Links are not looked at.
std::string normal_path(std::string_view path);
Value<Endpoint> to_endpoint(std::string_view text);
Value<Endpoint> to_listen_endpoint(
    std::string_view text);  // likewise, but for what its messages call accepted
// "dns:NAME:PORT".
Value<Endpoint> to_dns_name(std::string_view text);
// Of a DNS server: an address, with port 53 unless it says otherwise.
Value<Endpoint> to_resolver(std::string_view text);
std::string why_not_admin(
    const Endpoint& endpoint);  // who asks for no password listens to this host; empty: it may
Value<wire::Cidr> to_cidr(std::string_view text);
// Lower case: "example.org", "*.example.org", an IP literal.
Value<std::string> to_host_pattern(std::string_view text);
bool is_wildcard(const wire::IpAddress& ip);  // 0.0.0.0, ::
bool is_host_name(std::string_view text);     // RFC 1123, with underscores
bool is_authority(std::string_view text);     // a host or address, with or without a port

Value<std::string> to_prefix(std::string_view text);  // a path: "/", "/socket.io"
Value<std::string> to_token(std::string_view text);   // RFC 9110
Value<std::string> to_method(std::string_view text);  // upper-case letters
Value<std::string> to_server_id(std::string_view text);
Value<std::pair<std::uint16_t, std::uint16_t>> to_status_range(std::string_view text);  // "200", "200-299"
// CPU numbers as taskset(1) takes them: "3", "0-3", "0,2,4-7".
std::optional<std::vector<std::uint16_t>> to_cpus(std::string_view text);
bool is_field_value(std::string_view text);  // of HTTP: no control bytes but HTAB

// The candidate that `text`, in whatever case, was probably meant to be; empty if none is near.
std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates);

}  // namespace limpet::config
