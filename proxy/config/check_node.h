// check_node: what is wrong between keys of [node], each of which says something sound. For a file and for a
// command line. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.h"

namespace limpet::config {

struct NodeFault {
  std::string_view key;  // "raw_path"
  std::string why;
};
std::vector<NodeFault> check_node(const Node& node);

}  // namespace limpet::config
