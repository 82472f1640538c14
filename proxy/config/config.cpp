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

namespace {

std::optional<std::string> in_folder_of(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  const std::string_view all = value;  // systemd gives several folders with ':' between them
  return std::string(all.substr(0, all.find(':'))) + "/limpet.sock";
}

std::string temporary_path() {
  return "/tmp/limpet-" + std::to_string(::geteuid()) + ".sock";
}

}  // namespace

std::string default_admin_path() {
  if (const auto path = in_folder_of("RUNTIME_DIRECTORY")) return *path;
  if (::geteuid() == 0) return "/run/limpet.sock";
  if (const auto path = in_folder_of("XDG_RUNTIME_DIR")) return *path;
  return temporary_path();
}

std::vector<std::string> admin_paths() {
  std::vector<std::string> paths{default_admin_path(), "/run/limpet/limpet.sock", "/run/limpet.sock"};
  if (const auto path = in_folder_of("XDG_RUNTIME_DIR")) paths.push_back(*path);
  paths.push_back(temporary_path());
  return paths;
}

}  // namespace limpet::config
