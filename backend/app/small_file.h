// A file that somebody has put a key or a secret into: at most 64 KiB.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace limpet::app {

struct SmallFile {
  std::string bytes;
  // Others may read or write it. A group that reads what another user owns is how a service is given its
  // secret.
  bool exposed = false;
};
// The second: why it cannot be read; `if_larger` ends what is said of a larger one.
std::variant<SmallFile, std::string> read_small_file(const std::string& path,
                                                     std::string_view if_larger = "");

}  // namespace limpet::app
