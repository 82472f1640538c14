#include "proxy/config/values.h"

#include <algorithm>
#include <charconv>

namespace limpet::config {
namespace {

constexpr std::uint64_t kMostMs = 365ull * 24 * 3600 * 1000;
constexpr std::size_t kMostQuoted = 80;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The leading digits as a number, and what follows; nothing without digits or over 64 bits.
std::optional<std::pair<std::uint64_t, std::string_view>> split_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.empty() || !is_digit(text.front())) return std::nullopt;
  return std::pair(number, text.substr(static_cast<std::size_t>(end - text.data())));
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

std::optional<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units, std::uint64_t most) {
  const auto split = split_number(text);
  if (!split) return std::nullopt;
  for (const Unit& unit : units) {
    if (split->second != unit.name) continue;
    if (split->first > most / unit.factor) return std::nullopt;
    return split->first * unit.factor;
  }
  return std::nullopt;
}

std::optional<std::uint16_t> to_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return port;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return result;
}

constexpr std::string_view kAddressForms =
    "write \"10.0.1.1:3000\", \"[::1]:3000\", \"name:3000\" or \"unix:/path\"";

Value<Endpoint> to_unix(std::string_view text, std::string_view path) {
  constexpr std::size_t kMostPath = 107;  // sun_path
  if (!path.starts_with('/'))
    return Wrong{quoted(text) + " is not an address; a Unix socket's path begins with \"/\""};
  if (path.size() > kMostPath) return Wrong{quoted(text) + ": a Unix socket's path has at most 107 bytes"};
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::unix_socket;
  endpoint.path = path;
  return endpoint;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kMostQuoted)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      constexpr char kHex[] = "0123456789abcdef";
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out + (text.size() > kMostQuoted ? "...\"" : "\"");
}

Value<Duration> to_duration(std::string_view text) {
  constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  if (const auto ms = scaled(text, kUnits, kMostMs)) return Duration(static_cast<std::int64_t>(*ms));
  return Wrong{quoted(text) +
               " is not a duration; write a number and a unit: \"500ms\", \"30s\", \"5m\", \"1h\", "
               "\"7d\" (at most \"365d\")"};
}

Value<std::uint64_t> to_size(std::string_view text) {
  constexpr Unit kUnits[] = {
      {"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}};
  if (const auto bytes = scaled(text, kUnits, 1ull << 50)) return *bytes;
  return Wrong{quoted(text) +
               " is not a size; write a number and a unit: \"512B\", \"64KiB\", \"16MiB\", \"1GiB\""};
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

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

bool wire_equal(std::string_view a, std::string_view b) {
  return lower(a) == lower(b);
}

Value<Endpoint> to_endpoint(std::string_view text) {
  if (text.starts_with("unix:")) return to_unix(text, text.substr(5));
  const std::string not_one = quoted(text) + " is not an address; " + std::string(kAddressForms);
  Endpoint endpoint;
  std::string_view port_text;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || close + 1 >= text.size() || text[close + 1] != ':')
      return Wrong{not_one};
    const std::string_view host = text.substr(1, close - 1);
    const auto ip = wire::IpAddress::parse(host);
    if (!ip || host.find(':') == std::string_view::npos) return Wrong{not_one};
    endpoint.host = host;
    port_text = text.substr(close + 2);
  } else {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
      return Wrong{quoted(text) + " has no port; " + std::string(kAddressForms)};
    }
    const std::string_view host = text.substr(0, colon);
    if (host.find(':') != std::string_view::npos) {
      return Wrong{quoted(text) + " is not an address; an IPv6 address stands in brackets: \"[::1]:3000\""};
    }
    const auto ip = wire::IpAddress::parse(host);
    if (!ip && !is_host_name(host)) return Wrong{not_one};
    endpoint.kind = ip ? Endpoint::Kind::ip : Endpoint::Kind::name;
    endpoint.host = ip ? std::string(host) : lower(host);
    port_text = text.substr(colon + 1);
  }
  const auto port = to_port(port_text);
  if (!port) return Wrong{quoted(text) + ": " + quoted(port_text) + " is not a port; ports are 1 to 65535"};
  endpoint.port = *port;
  return endpoint;
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

Value<std::string> to_prefix(std::string_view text) {
  const bool clean = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (text.starts_with('/') && clean && text.find_first_of("?#") == std::string_view::npos)
    return std::string(text);
  return Wrong{quoted(text) +
               " is not a path; it begins with \"/\" and has no query, space or control character"};
}

Value<std::string> to_token(std::string_view text) {
  const bool token = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_letter(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
  if (token) return std::string(text);
  return Wrong{quoted(text) + " is not a token; letters, digits and !#$%&'*+-.^_`|~ are accepted"};
}

Value<std::string> to_server_id(std::string_view text) {
  const bool clean = std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || is_letter(c) || c == '_' || c == '.' || c == ':' || c == '-';
  });
  if (clean && !text.empty() && text.size() <= 64) return std::string(text);
  return Wrong{quoted(text) + " is not a server id; 1 to 64 of A-Z a-z 0-9 _ . : - are accepted"};
}

Value<std::pair<std::uint16_t, std::uint16_t>> to_status_range(std::string_view text) {
  const auto first = split_number(text);
  if (first && first->first >= 100 && first->first <= 599) {
    const auto low = static_cast<std::uint16_t>(first->first);
    if (first->second.empty()) return std::pair(low, low);
    if (first->second.starts_with('-')) {
      const auto last = split_number(first->second.substr(1));
      if (last && last->second.empty() && last->first >= low && last->first <= 599) {
        return std::pair(low, static_cast<std::uint16_t>(last->first));
      }
    }
  }
  return Wrong{quoted(text) + " is not a status; write 200 or \"200-299\" (100 to 599)"};
}

std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t best_distance = ~std::size_t{0};
  if (text.size() > 64) return best;
  for (const std::string_view each : candidates) {
    const std::size_t distance = edit_distance(text, each);
    if (distance < best_distance) {
      best = each;
      best_distance = distance;
    }
  }
  const std::size_t allowed = std::max<std::size_t>(2, text.size() / 3);
  return best_distance <= allowed && best_distance < std::max(text.size(), best.size()) ? best
                                                                                        : std::string_view{};
}

}  // namespace limpet::config
