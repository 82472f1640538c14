#include "proxy/bundle/site.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>

#include "proxy/net/listener.h"

namespace limpet::bundle {
namespace {

constexpr std::uint16_t kFirstPort = 8080, kPorts = 100;

bool is_there(const std::string& program) {
  const char* const value = std::getenv("PATH");
  std::string_view path = value != nullptr ? value : "/usr/local/bin:/usr/bin:/bin";
  while (!path.empty()) {
    const std::size_t end = path.find(':');
    const std::string full = std::string(path.substr(0, end)) + "/" + program;
    struct stat info;
    if (::access(full.c_str(), X_OK) == 0 && ::stat(full.c_str(), &info) == 0 && S_ISREG(info.st_mode))
      return true;
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end + 1);
  }
  return false;
}

std::string random_password() {
  std::array<unsigned char, 24> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char each : bytes) {
    out += kDigits[each >> 4];
    out += kDigits[each & 15];
  }
  return out;
}

// One process at a time has the name, until it closes the socket. The port alone would not tell bundles that
// start together apart: the proxy binds it when Redis and the nodes are there, and a socket that is bound
// before and does not listen keeps off nobody who says SO_REUSEADDR.
net::Fd claim(const net::Address& address) {
  net::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const std::string name = "limpet up " + address.text();
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  std::ranges::copy(name, place.sun_path + 1);  // the 0 before it: it is no file
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&place), length) != 0) return {};
  return fd;
}

// Bound as the proxy will bind it, and given back at once.
std::string take_if_free(const net::Address& address, net::Fd& claimed) {
  claimed = claim(address);
  if (!claimed) return address.text() + ": another limpet up has it";
  return net::bind_listener(address, 1).error;
}

std::string free_listener(Prepared& out) {
  std::string first_error;
  for (std::uint16_t port = kFirstPort; port < kFirstPort + kPorts; ++port) {
    const auto address = net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), port);
    const std::string error = take_if_free(address, out.claim);
    if (error.empty()) {
      if (port != kFirstPort) out.notes.push_back(first_error + "; the proxy takes " + address.text());
      return address.text();
    }
    if (first_error.empty()) first_error = error;
  }
  return {};
}

}  // namespace

Port free_port() {
  net::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  // Whoever says SO_REUSEADDR as well may listen there, as servers do.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  net::Address address = net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), 0);
  socklen_t length = net::Address::kCapacity;
  if (!fd || ::bind(fd.get(), address.raw(), address.length()) != 0 ||
      ::getsockname(fd.get(), address.raw(), &length) != 0)
    return {};
  return {address.port(), std::move(fd)};
}

std::optional<std::uint16_t> port_of(const Wanted& wanted, std::uint32_t number, Prepared& prepared) {
  if (wanted.first_port != 0) {
    const std::uint32_t port = wanted.first_port + number - 1;
    return port <= 65535 ? std::optional(static_cast<std::uint16_t>(port)) : std::nullopt;
  }
  if (!wanted.command) return 0;
  Port& port = prepared.reserved[number];  // the same again for who comes again
  if (port.number == 0) port = free_port();
  return port.number != 0 ? std::optional(port.number) : std::nullopt;
}

std::variant<Prepared, std::string> prepare(const Wanted& wanted) {
  if (wanted.managed_redis && !is_there("redis-server")) {
    return "there is no redis-server: install it (apt-get install redis-server), or name one of your own "
           "with "
           "[bundle] redis = \"redis://...\"";
  }
  auto folder = RuntimeFolder::create(runtime_parents());
  if (const auto* why = std::get_if<std::string>(&folder)) return *why;
  Prepared out{std::move(std::get<RuntimeFolder>(folder)), {}, {}, {}, {}};
  Site& site = out.site;
  site.folder = out.folder.path();
  for (char** each = environ; *each != nullptr; ++each) site.environment.emplace_back(*each);
  if (wanted.listener) site.listener = free_listener(out);
  if (wanted.listener && site.listener.empty())
    return "no port of 127.0.0.1:8080 to 8179 is free; write a [[listener]]";
  site.redis_url = wanted.redis_url;
  if (!wanted.managed_redis || !wanted.command) return out;
  Port port = free_port();
  site.redis_port = port.number;
  site.redis_password = random_password();
  if (port.number == 0 || site.redis_password.empty()) return "there is no free port for Redis";
  out.reserved[0] = std::move(port);
  return out;
}

}  // namespace limpet::bundle
