#include "proxy/config/check_node.h"

#include <algorithm>

#include "proxy/config/values.h"

namespace limpet::config {
namespace {

std::string_view without_slash(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

std::vector<NodeFault> check_node(const Node& node) {
  std::vector<NodeFault> faults;
  // A namespace that is served twice would do everything twice.
  std::vector<std::string> names = node.namespaces;
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
    faults.push_back({"namespaces", quoted(*twice) + " is there twice; leave one out"});
  if (names.empty()) faults.push_back({"namespaces", "none would be served; write \"/\""});
  // Requests go to one of both.
  if (node.raw != NodeRaw::off && without_slash(node.raw_path) == without_slash(node.path))
    faults.push_back(
        {"raw_path", quoted(node.raw_path) + " is where Socket.IO is; write another, as \"/ws\""});
  if (node.cors_credentials && std::ranges::find(node.cors_origins, "*") != node.cors_origins.end()) {
    faults.push_back(
        {"cors_credentials",
         "browsers refuse cookies where every origin may ask; name the origins in cors_origins"});
  }
  return faults;
}

}  // namespace limpet::config
