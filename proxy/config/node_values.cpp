// Values of [node] that no other table has.
#include <algorithm>

#include "backend/redis/settings.h"
#include "proxy/config/node_keys.h"

namespace limpet::config {
namespace {

constexpr std::size_t kMostText = 4096;

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::string why_not_admin(const Endpoint& endpoint) {
  const std::string port = std::to_string(endpoint.port);
  const auto ip = wire::IpAddress::parse(endpoint.host);
  if (endpoint.kind == Endpoint::Kind::unix_socket || (ip && ip->is_loopback())) return {};
  if (endpoint.kind == Endpoint::Kind::name) {
    return ": a host name is not accepted here; write \"127.0.0.1:" + port +
           "\" or a Unix socket: \"unix:/path\"";
  }
  return " can be reached from elsewhere, and admin asks for no password; write \"unix:/path\" or a loopback "
         "address: \"127.0.0.1:" +
         port + "\"";
}

Value<Endpoint> to_node_listen(std::string_view text) {
  Value<Endpoint> value = to_listen_endpoint(text);
  const auto* endpoint = std::get_if<Endpoint>(&value);
  if (endpoint != nullptr && endpoint->kind == Endpoint::Kind::name) {
    const std::string port = std::to_string(endpoint->port);
    return Wrong{quoted(text) + ": a host name is not accepted here; write an address: \"127.0.0.1:" + port +
                 "\", \"0.0.0.0:" + port + "\" or \"[::]:" + port + "\""};
  }
  return value;
}

Value<Endpoint> to_node_admin(std::string_view text) {
  Value<Endpoint> value = to_listen_endpoint(text);
  const auto* endpoint = std::get_if<Endpoint>(&value);
  if (endpoint == nullptr) return value;
  if (const std::string why = why_not_admin(*endpoint); !why.empty()) return Wrong{quoted(text) + why};
  return value;
}

Value<std::string> to_namespace(std::string_view text) {
  const bool clean = is_visible(text) && text.find_first_of(",?") == std::string_view::npos;
  if (text.starts_with('/') && clean && text.size() <= 128) return std::string(text);
  return Wrong{quoted(text) +
               " is not a namespace; it begins with \"/\", has at most 128 characters, and no comma, "
               "question mark or space"};
}

Value<std::string> to_engine_path(std::string_view text) {
  Value<std::string> value = to_prefix(text);
  auto* path = std::get_if<std::string>(&value);
  if (path != nullptr && !path->ends_with('/')) *path += '/';
  return value;
}

Value<std::string> to_raw_path(std::string_view text) {
  Value<std::string> value = to_prefix(text);
  const auto* path = std::get_if<std::string>(&value);
  if (path != nullptr && (*path == "/" || *path == "/health"))
    return Wrong{quoted(text) + " is taken; write \"/ws\""};
  return value;
}

// As a browser sends it: compared byte for byte.
Value<std::string> to_origin(std::string_view text) {
  if (text == "*") return std::string(text);
  const std::size_t scheme = text.find("://");
  const bool named = scheme != std::string_view::npos && scheme > 0 && scheme + 3 < text.size();
  const bool clean =
      is_visible(text) && named && text.find_first_of("/?#,", scheme + 3) == std::string_view::npos;
  const bool lower_case = std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (clean && lower_case && text.size() <= 256) return std::string(text);
  return Wrong{quoted(text) +
               " is not an origin; write \"*\" or what browsers send, as \"https://example.org\" or "
               "\"http://localhost:5173\": lower case, no path"};
}

Value<std::string> to_cookie_or_off(std::string_view text) {
  if (text == "off") return std::string();
  return to_token(text);
}

Value<std::string> to_folder_or_off(std::string_view text) {
  if (text == "off") return std::string();
  return to_plain_text(text);
}

Value<std::string> to_plain_text(std::string_view text) {
  const bool clean = std::none_of(text.begin(), text.end(), is_control);
  if (!text.empty() && clean && text.size() <= kMostText) return std::string(text);
  return Wrong{quoted(text) + ": 1 to 4096 bytes without control characters are accepted"};
}

namespace {

bool is_variable(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_';
  });
}

// Where a secret is, if that is what `text` says. What is wrong is not shown: "env:$REDIS_URL", as a shell
// gives it, is the secret itself.
std::optional<Value<std::string>> to_place(std::string_view text) {
  if (text.starts_with(kFromVariable)) {
    if (is_variable(text.substr(kFromVariable.size()))) return std::string(text);
    return Wrong{"after env: there is no variable's name; write \"env:REDIS_URL\""};
  }
  if (text.starts_with(kFromFile)) {
    const std::string_view path = text.substr(kFromFile.size());
    const bool is_path = !path.empty() && path.find("://") == std::string_view::npos;
    if (is_path && std::none_of(path.begin(), path.end(), is_control)) return std::string(text);
    return Wrong{"after file: there is no path; write \"file:/run/secrets/redis\""};
  }
  return std::nullopt;
}

}  // namespace

Value<std::string> to_redis(std::string_view text) {
  if (auto place = to_place(text)) return *std::move(place);
  auto settings = redis::parse_url(text);
  if (auto* why = std::get_if<std::string>(&settings)) return Wrong{std::move(*why)};
  return std::string(text);
}

Value<std::string> to_secret(std::string_view text) {
  if (auto place = to_place(text)) return *std::move(place);
  if (text.empty() || text.size() > kMostText || std::any_of(text.begin(), text.end(), is_control))
    return Wrong{"1 to 4096 bytes without control characters are accepted, \"env:NAME\" or \"file:PATH\""};
  return std::string(text);
}

Value<std::string> to_name_with_id(std::string_view text) {
  Value<std::string> value = to_plain_text(text);
  const std::size_t at = text.find("<id>");
  const bool once = at != std::string_view::npos && text.find("<id>", at + 1) == std::string_view::npos;
  if (std::holds_alternative<std::string>(value) && !once)
    return Wrong{quoted(text) +
                 ": <id>, which stands for the user's id, is to be there once, as in \"user:<id>\""};
  return value;
}

}  // namespace limpet::config
