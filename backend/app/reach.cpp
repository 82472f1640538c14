// Which addresses are of this host or of a private network.
#include <algorithm>
#include <array>
#include <string_view>

#include "backend/app/node.h"
#include "proxy/wire/ip_address.h"

namespace limpet::app {

// RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291. A wildcard is whatever this host has, so it counts as
// public.
bool is_public(const net::Address& address) {
  constexpr std::string_view kPrivate[] = {"127.0.0.0/8",    "10.0.0.0/8",    "172.16.0.0/12",
                                           "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
                                           "::1/128",        "fc00::/7",      "fe80::/10"};
  const auto ip = address.ip_address();
  if (!ip) return false;
  return std::none_of(std::begin(kPrivate), std::end(kPrivate), [&](std::string_view each) {
    const auto network = wire::Cidr::parse(each);
    return network && network->contains(*ip);
  });
}

}  // namespace limpet::app
