#include "proxy/config/config.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace limpet::config {

std::string Endpoint::text() const {
  if (kind == Kind::unix_socket) return "unix:" + path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool Pool::uses(AffinityKind kind) const {
  return std::find(affinity.begin(), affinity.end(), kind) != affinity.end();
}

const Pool* Config::find_pool(std::string_view name) const {
  const auto found =
      std::find_if(pools.begin(), pools.end(), [&](const Pool& pool) { return pool.name == name; });
  return found == pools.end() ? nullptr : &*found;
}

std::string default_admin_path() {
  if (const char* folder = std::getenv("RUNTIME_DIRECTORY"); folder && *folder)
    return std::string(folder) + "/limpet.sock";
  if (::geteuid() == 0) return "/run/limpet.sock";
  if (const char* folder = std::getenv("XDG_RUNTIME_DIR"); folder && *folder)
    return std::string(folder) + "/limpet.sock";
  return "/tmp/limpet-" + std::to_string(::geteuid()) + ".sock";
}

}  // namespace limpet::config
