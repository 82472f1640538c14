// How a Redis URL reads: settings.h has the forms.
#include <algorithm>
#include <charconv>
#include <optional>

#include "backend/redis/settings.h"
#include "proxy/wire/bytes.h"

namespace limpet::redis {
namespace {

constexpr std::size_t kMostEndpoints = 64;
constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kLongestPath = 107;  // sockaddr_un

struct Scheme {
  std::string_view name;
  Kind kind;
  bool tls, path;
  std::uint16_t port;
};
constexpr Scheme kSchemes[] = {
    {"redis", Kind::single, false, false, 6379},
    {"rediss", Kind::single, true, false, 6379},
    {"unix", Kind::single, false, true, 0},
    {"redis+sentinel", Kind::sentinel, false, false, 26379},
    {"rediss+sentinel", Kind::sentinel, true, false, 26379},
    {"redis+cluster", Kind::cluster, false, false, 6379},
    {"rediss+cluster", Kind::cluster, true, false, 6379},
};

struct Wrong {
  std::string what;
};

std::string decoded(std::string_view text, std::string_view what) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || wire::hex_value(text[i + 1]) < 0 || wire::hex_value(text[i + 2]) < 0)
        throw Wrong{"the " + std::string(what) + " has a % that two hexadecimal digits do not follow"};
      c = static_cast<char>(wire::hex_value(text[i + 1]) * 16 + wire::hex_value(text[i + 2]));
      i += 2;
    }
    if (c == '\0') throw Wrong{"the " + std::string(what) + " has a NUL in it"};
    out += c;
  }
  return out;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::uint32_t database(std::string_view text) {
  const auto db = number<std::uint32_t>(text);
  if (!db || *db > 1'000'000) throw Wrong{"the database is a number, such as /0"};
  return *db;
}

// Cuts what comes before `mark` off `rest`; all of it if there is no mark.
std::string_view cut(std::string_view& rest, char mark) {
  const std::size_t at = rest.find(mark);
  const std::string_view head = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return head;
}

// "user:password@" before the last @, so that a password whose @ nobody encoded is no host's name.
void take_credentials(std::string_view& rest, Settings& settings) {
  const std::size_t at = rest.rfind('@');
  if (at == std::string_view::npos) return;
  std::string_view credentials = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  const std::string_view user = cut(credentials, ':');
  settings.user = decoded(user, "user");
  settings.password = decoded(credentials, "password");
  if (settings.password.empty() && !settings.user.empty()) throw Wrong{"there is a user but no password"};
}

Endpoint endpoint(std::string_view text, std::uint16_t port) {
  std::string_view host = text, digits;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) throw Wrong{"an address has no ] to its ["};
    host = text.substr(1, close - 1);
    digits = text.substr(close + 1);
    if (!digits.empty() && !digits.starts_with(':')) throw Wrong{"after ] there is neither : nor an end"};
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    digits = text.substr(colon);
    if (digits.find(':', 1) != std::string_view::npos) throw Wrong{"an IPv6 address stands in brackets"};
  }
  if (host.empty()) throw Wrong{"there is no host"};
  if (host.size() > kLongestHost) throw Wrong{"a host's name is too long"};
  for (const char c : host) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!plain && c != '.' && c != '-' && c != '_' && c != ':')
      throw Wrong{"a host's name has a character that is in no name"};
  }
  if (digits.empty()) return {std::string(host), port};
  const auto given = number<std::uint16_t>(digits.substr(1));
  if (!given || *given == 0) throw Wrong{"a port is a number from 1 to 65535"};
  return {std::string(host), *given};
}

void take_query(std::string_view query, Settings& settings) {
  while (!query.empty()) {
    std::string_view value = cut(query, '&');
    const std::string_view key = cut(value, '=');
    if (key != "db") throw Wrong{"the only key after ? is db"};
    settings.db = database(value);
  }
}

void take_path_form(std::string_view rest, Settings& settings) {
  const std::size_t mark = rest.find('?');
  if (mark != std::string_view::npos) take_query(rest.substr(mark + 1), settings);
  rest = rest.substr(0, mark);
  take_credentials(rest, settings);
  const std::string path = decoded(rest, "path");
  if (!path.starts_with('/') || path.size() == 1) throw Wrong{"a Unix socket is an absolute path"};
  if (path.size() > kLongestPath) throw Wrong{"the path is too long for a Unix socket"};
  settings.endpoints.push_back({path, 0});
}

void take_hosts_form(std::string_view rest, const Scheme& scheme, Settings& settings) {
  const std::size_t mark = rest.rfind('?');
  if (mark != std::string_view::npos && rest.find('@', mark) == std::string_view::npos) {
    take_query(rest.substr(mark + 1), settings);
    rest = rest.substr(0, mark);
  }
  // A slash in a password that nobody encoded: what counts is what follows the last @.
  take_credentials(rest, settings);
  const bool has_path = rest.find('/') != std::string_view::npos;
  std::string_view hosts = cut(rest, '/');
  if (scheme.kind == Kind::sentinel) {
    settings.master = decoded(cut(rest, '/'), "master's name");
    if (settings.master.empty()) throw Wrong{"a Sentinel's URL names the master: .../NAME"};
  }
  if (has_path && !rest.empty()) settings.db = database(rest);
  do {
    settings.endpoints.push_back(endpoint(cut(hosts, ','), scheme.port));
  } while (!hosts.empty() && settings.endpoints.size() <= kMostEndpoints);
  if (settings.endpoints.size() > kMostEndpoints) throw Wrong{"there are over 64 hosts"};
  if (scheme.kind == Kind::single && settings.endpoints.size() > 1)
    throw Wrong{"one server is one host; several are redis+sentinel:// or redis+cluster://"};
  if (scheme.kind == Kind::cluster && settings.db != 0) throw Wrong{"a cluster has database 0 alone"};
}

}  // namespace

std::variant<Settings, std::string> parse_url(std::string_view url) {
  if (url.starts_with("unix:/") && !url.starts_with("unix://"))
    return parse_url("unix://" + std::string(url.substr(5)));
  const std::size_t colon = url.find("://");
  const std::string_view name = url.substr(0, colon);
  const auto* scheme = std::ranges::find(kSchemes, name, &Scheme::name);
  if (colon == std::string_view::npos || scheme == std::end(kSchemes))
    return "a Redis URL begins with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://";
  Settings settings;
  settings.kind = scheme->kind;
  settings.tls.on = scheme->tls;
  try {
    if (scheme->path) {
      take_path_form(url.substr(colon + 3), settings);
    } else {
      take_hosts_form(url.substr(colon + 3), *scheme, settings);
    }
  } catch (const Wrong& wrong) {
    return wrong.what;
  }
  return settings;
}

std::string shown(const Endpoint& endpoint) {
  if (endpoint.host.starts_with('/')) return "unix:" + endpoint.host;
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

std::string shown(const Settings& settings) {
  std::string text = settings.tls.on ? "rediss" : "redis";
  if (settings.kind == Kind::sentinel) text += "+sentinel";
  if (settings.kind == Kind::cluster) text += "+cluster";
  const bool path = settings.kind == Kind::single && settings.endpoints.size() == 1 &&
                    settings.endpoints[0].host.starts_with('/');
  text = path ? "unix://" + settings.endpoints[0].host : text + "://";
  for (std::size_t i = 0; !path && i < settings.endpoints.size(); ++i) {
    if (i > 0) text += ',';
    text += shown(settings.endpoints[i]);
  }
  if (settings.kind == Kind::sentinel) text += "/" + settings.master;
  if (settings.db != 0) text += (path ? "?db=" : "/") + std::to_string(settings.db);
  return text;
}

}  // namespace limpet::redis
