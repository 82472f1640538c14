// Client: one request to a running proxy's admin address; for the command line. Blocking.
#pragma once

#include <string>
#include <string_view>

#include "proxy/net/address.h"

namespace limpet::admin {

struct Fetched {
  int status = 0;  // 0: no answer; `error` says why
  std::string body;
  std::string error;
};
Fetched fetch(const net::Address& address, std::string_view method, std::string_view path);

}  // namespace limpet::admin
