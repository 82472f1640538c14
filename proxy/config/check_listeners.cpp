// Addresses that cannot be bound beside each other.
#include "proxy/config/checks.h"

namespace limpet::config {
namespace {

enum class Overlap : std::uint8_t { none, same, wildcard };

// As the kernel sees it, whatever the text. IPv6 sockets take IPv6 alone; port 0 is another one each time.
Overlap overlap(const Endpoint& a, const Endpoint& b) {
  if (a.kind != b.kind) return Overlap::none;
  if (a.kind == Endpoint::Kind::unix_socket)
    return normal_path(a.path) == normal_path(b.path) ? Overlap::same : Overlap::none;
  const auto x = wire::IpAddress::parse(a.host), y = wire::IpAddress::parse(b.host);
  if (!x || !y || x->is_v4() != y->is_v4() || a.port != b.port || a.port == 0) return Overlap::none;
  if (*x == *y) return Overlap::same;
  return is_wildcard(*x) || is_wildcard(*y) ? Overlap::wildcard : Overlap::none;
}

// Why `address` cannot stand beside a listener; empty if it can.
std::string clash(const Endpoint& address, const Endpoint& listener, int line) {
  const std::string in_line = "the listener in line " + std::to_string(line);
  switch (overlap(address, listener)) {
    case Overlap::none: break;
    case Overlap::same:
      return quoted(address.text()) + " is the address of " + in_line + "; give one of them another";
    case Overlap::wildcard: {
      const bool v4 = wire::IpAddress::parse(address.host)->is_v4();
      return quoted(address.text()) + " overlaps with " + in_line + ", " + quoted(listener.text()) + ": " +
             (v4 ? "0.0.0.0 is every IPv4" : "[::] is every IPv6") +
             " address of this machine; give one of them another port";
    }
  }
  return {};
}

}  // namespace

void check_listeners(const Draft& draft, Findings& findings) {
  const auto& all = draft.config.listeners;
  // One clash of an address is enough.
  const auto check = [&](const Endpoint& address, std::size_t among, Place at, const std::string& name) {
    for (std::size_t i = 0; i < among; ++i) {
      const std::string why = clash(address, all[i].address, draft.listeners[i].table.line);
      if (!why.empty()) return findings.problem(at, name + ".address: " + why);
    }
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const ListenerPlaces& places = draft.listeners[i];
    check(all[i].address, i, places.address, "listener[" + std::to_string(places.index) + "]");
  }
  if (draft.admin) check(draft.config.admin.address, all.size(), *draft.admin, "admin");
}

}  // namespace limpet::config
