// RuntimeFolder: a private directory (0700) for the bundle's sockets, configurations and secrets, gone at its
// end. Those that a bundle left behind when it was killed are removed by the next one.
//
// A lock on the directory itself says that its bundle lives; systemd-tmpfiles(8) heeds it, too. Flat: there
// are only files in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/net/fd.h"

namespace limpet::bundle {

class RuntimeFolder {
 public:
  // In the first of `parents` that takes it and leaves room for a socket's name. What was wrong, otherwise.
  static std::variant<RuntimeFolder, std::string> create(const std::vector<std::string>& parents);
  RuntimeFolder(RuntimeFolder&&) = default;
  RuntimeFolder& operator=(RuntimeFolder&&) = default;
  ~RuntimeFolder();

  const std::string& path() const { return path_; }
  // 0600, whole or not at all: who reads it meanwhile reads the old one. What was wrong, or empty.
  std::string write(std::string_view name, std::string_view text) const;

 private:
  RuntimeFolder(std::string path, net::Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  net::Fd lock_;
};

// $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR, /run/limpet for root, /tmp.
std::vector<std::string> runtime_parents();

// Removes in `parent` what bundles of this user left that have died. Returns how many.
std::size_t remove_stale(const std::string& parent);

}  // namespace limpet::bundle
