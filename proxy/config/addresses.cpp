// Addresses and hosts: of sockets, of ranges, of names.
#include <algorithm>
#include <charconv>

#include "proxy/config/load.h"
#include "proxy/config/values.h"

namespace limpet::config {
namespace {

std::optional<std::uint16_t> to_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return port;
}

// What an address is for: a host name is one to connect to, port 0 one to listen on.
enum class Use : std::uint8_t { connect, listen };

std::string forms(Use use) {
  if (use == Use::listen) return "write \"0.0.0.0:80\", \"127.0.0.1:80\", \"[::1]:80\" or \"unix:/path\"";
  return "write \"10.0.1.1:3000\", \"[::1]:3000\", \"name:3000\" or \"unix:/path\"";
}

Value<Endpoint> to_unix(std::string_view text, std::string_view path) {
  constexpr std::size_t kMostPath = 107;  // sun_path
  if (!path.starts_with('/'))
    return Wrong{quoted(text) + " is not an address; a Unix socket's path begins with \"/\""};
  if (path.size() > kMostPath) return Wrong{quoted(text) + ": a Unix socket's path has at most 107 bytes"};
  if (std::any_of(path.begin(), path.end(), is_control))  // the kernel would stop at a NUL
    return Wrong{quoted(text) + ": a Unix socket's path has no control characters; write \"unix:/path\""};
  if (normal_path(path).ends_with('/'))
    return Wrong{quoted(text) + " names a directory; a Unix socket is a file: \"unix:/path/name.sock\""};
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::unix_socket;
  endpoint.path = path;
  return endpoint;
}

// Of a URL: the address in it, if there is one.
Wrong has_scheme(std::string_view text, std::size_t colon, Use use) {
  const std::string_view rest = text.substr(colon + 3);
  const std::string address(rest.substr(0, rest.find_first_of("/?#")));
  const std::string_view scheme = text.substr(0, colon);
  const std::string begin = quoted(text) + " has a scheme; ";
  for (const std::string& each : {address, address + ":80"}) {
    const bool guessed = each.size() != address.size();
    if (guessed && scheme != "http" && scheme != "ws") continue;
    const auto endpoint = parse_endpoint(each);
    const bool fits = endpoint && (use == Use::connect || endpoint->kind == Endpoint::Kind::ip);
    if (fits) return {begin + "write " + quoted(each)};
  }
  return {begin + forms(use)};
}

// A host and the text of its port.
struct HostAndPort {
  Endpoint endpoint;
  std::string_view port;
};

Value<HostAndPort> split_v6(std::string_view text, const Wrong& not_one) {
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos || close + 1 >= text.size() || text[close + 1] != ':') return not_one;
  const std::string_view host = text.substr(1, close - 1);
  if (!wire::IpAddress::parse(host) || host.find(':') == std::string_view::npos) return not_one;
  HostAndPort out;
  out.endpoint.host = host;
  out.port = text.substr(close + 2);
  return out;
}

Value<HostAndPort> split_host(std::string_view text, const Wrong& not_one, Use use) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Wrong{quoted(text) + " has no port; " + forms(use)};
  const std::string_view host = text.substr(0, colon);
  if (host.find(':') != std::string_view::npos)
    return Wrong{quoted(text) + " is not an address; an IPv6 address stands in brackets: \"[::1]:3000\""};
  const auto ip = wire::IpAddress::parse(host);
  if (!ip && !is_host_name(host)) return not_one;
  HostAndPort out;
  out.endpoint.kind = ip ? Endpoint::Kind::ip : Endpoint::Kind::name;
  out.endpoint.host = ip ? std::string(host) : lower(host);
  out.port = text.substr(colon + 1);
  return out;
}

Value<Endpoint> parse_address(std::string_view text, Use use) {
  if (text.starts_with("unix:")) return to_unix(text, text.substr(5));
  if (const std::size_t colon = text.find("://"); colon != std::string_view::npos)
    return has_scheme(text, colon, use);
  const Wrong not_one{quoted(text) + " is not an address; " + forms(use)};
  Value<HostAndPort> split = text.starts_with('[') ? split_v6(text, not_one) : split_host(text, not_one, use);
  if (const auto* bad = std::get_if<Wrong>(&split)) return *bad;
  auto& [endpoint, port_text] = std::get<HostAndPort>(split);
  const auto port = to_port(port_text);
  if (!port) {
    return Wrong{quoted(text) + ": " + quoted(port_text) + " is not a port; ports are " +
                 (use == Use::listen ? "0" : "1") + " to 65535"};
  }
  endpoint.port = *port;
  return endpoint;
}

}  // namespace

bool is_wildcard(const wire::IpAddress& ip) {
  const auto bytes = ip.bytes();
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  if (text.back() == '.') text.remove_suffix(1);
  std::size_t label = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '.') {
      if (label == 0 || label > 63 || text[i - 1] == '-') return false;
      label = 0;
    } else if (is_digit(text[i]) || is_letter(text[i]) || text[i] == '_' || (text[i] == '-' && label > 0)) {
      ++label;
    } else {
      return false;
    }
  }
  // A name whose last label is a number is a mistyped address (RFC 1123, 2.1).
  const std::string_view last =
      text.substr(text.rfind('.') == std::string_view::npos ? 0 : text.rfind('.') + 1);
  return !std::all_of(last.begin(), last.end(), is_digit);
}

namespace {

// Why a text is no host name; empty: it is one.
std::string why_no_name(std::string_view name) {
  const std::string_view whole = name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
  for (std::size_t at = 0; at <= whole.size();) {
    const std::string_view label = whole.substr(at, whole.find('.', at) - at);
    if (label.size() > 63)
      return quoted(label) + " has " + std::to_string(label.size()) +
             " bytes; between two dots are at most 63";
    at += label.size() + 1;
  }
  if (name.size() > 253) return "a name has at most 253 bytes, this one " + std::to_string(name.size());
  return is_host_name(name) ? "" : quoted(name) + " is not a host name";
}

}  // namespace

Value<Endpoint> to_dns_name(std::string_view text) {
  const auto wrong = [text](const std::string& why) { return Wrong{quoted(text) + ": " + why}; };
  const std::string example = "write \"dns:ws.default.svc:3000\"";
  const std::string_view rest = text.substr(std::min<std::size_t>(text.find(':') + 1, text.size()));
  const std::size_t colon = rest.rfind(':');
  const bool port_alone = !rest.empty() && std::all_of(rest.begin(), rest.end(), is_digit);
  if (rest.empty() || colon == 0 || port_alone) return wrong("the name is missing; " + example);
  if (auto literal = parse_endpoint(rest); literal && literal->kind == Endpoint::Kind::ip)
    return wrong("that is an address, for which nobody needs to ask; write " + quoted(rest));
  if (wire::IpAddress::parse(rest)) return wrong("that is an address, and no name; " + example);
  const std::string_view name = rest.substr(0, colon);
  if (const std::string why = why_no_name(name); !why.empty()) return wrong(why + "; " + example);
  if (colon == std::string_view::npos)
    return wrong("the port is missing; write " + quoted(std::string(text) + ":3000"));
  const auto port = to_port(rest.substr(colon + 1));
  if (!port || *port == 0)
    return wrong(quoted(rest.substr(colon + 1)) + " is not a port; ports are 1 to 65535");
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::name;
  endpoint.host = lower(name);
  endpoint.port = *port;
  return endpoint;
}

Value<Endpoint> to_resolver(std::string_view text) {
  constexpr std::uint16_t kDns = 53;
  Endpoint endpoint;
  endpoint.port = kDns;
  endpoint.host = text;
  if (wire::IpAddress::parse(text)) return endpoint;
  if (auto written = parse_endpoint(text);
      written && written->kind == Endpoint::Kind::ip && written->port != 0)
    return *written;
  return Wrong{quoted(text) +
               " is not the address of a DNS server; write \"10.0.0.2\", \"10.0.0.2:5353\" or "
               "\"[fd00::2]:53\""};
}

bool is_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !wire::IpAddress::parse(text.substr(1, close - 1))) return false;
    const std::string_view rest = text.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && to_port(rest.substr(1)));
  }
  const std::size_t colon = text.find(':');
  const std::string_view host = text.substr(0, colon);
  if (!is_host_name(host) && !wire::IpAddress::parse(host)) return false;
  return colon == std::string_view::npos || to_port(text.substr(colon + 1)).has_value();
}

Value<Endpoint> to_endpoint(std::string_view text) {
  return parse_address(text, Use::connect);
}

Value<Endpoint> to_listen_endpoint(std::string_view text) {
  return parse_address(text, Use::listen);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto value = to_endpoint(text);
  const auto* endpoint = std::get_if<Endpoint>(&value);
  return endpoint ? std::optional(*endpoint) : std::nullopt;
}

Value<wire::Cidr> to_cidr(std::string_view text) {
  if (const auto cidr = wire::Cidr::parse(text)) return *cidr;
  const std::size_t slash = text.find('/');
  const auto address = wire::IpAddress::parse(text.substr(0, slash));
  if (address && slash != std::string_view::npos) {
    // Bits beyond the prefix: name the range that was meant.
    unsigned prefix = 0;
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    const unsigned most = address->is_v4() ? 32 : 128;
    if (error == std::errc() && end == digits.data() + digits.size() && prefix <= most) {
      std::array<std::uint8_t, 16> bytes{};
      const auto raw = address->bytes();
      for (std::size_t i = 0; i < raw.size(); ++i) {
        const int keep = std::clamp(static_cast<int>(prefix) - static_cast<int>(i) * 8, 0, 8);
        bytes[i] = static_cast<std::uint8_t>(raw[i] & (0xff << (8 - keep)));
      }
      const auto base =
          address->is_v4() ? wire::IpAddress::v4(std::span(bytes).first<4>()) : wire::IpAddress::v6(bytes);
      return Wrong{quoted(text) + " has bits beyond its prefix; did you mean \"" + base.text() + "/" +
                   std::to_string(prefix) + "\"?"};
    }
  }
  return Wrong{quoted(text) +
               " is not a range of addresses; write \"10.0.0.0/8\", \"2001:db8::/32\", a single address, "
               "or \"unix:\""};
}

Value<std::string> to_host_pattern(std::string_view text) {
  const std::string_view name = text.starts_with("*.") ? text.substr(2) : text;
  if (is_host_name(name) || (name == text && wire::IpAddress::parse(text))) {
    std::string host = lower(text);
    if (host.back() == '.') host.pop_back();
    return host;
  }
  return Wrong{quoted(text) + " is not a host; write \"example.org\" or \"*.example.org\", without a port"};
}

}  // namespace limpet::config
