// holder: who has an address that we want, as far as /proc shows it. For an error message; Linux.
#pragma once

#include <string>

#include "proxy/net/address.h"

namespace limpet::net {

// " (held by pid 123, nginx)", or nothing.
std::string holder_of(const Address& address);

}  // namespace limpet::net
