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
// What is there and does nothing, as `stream` without adapter redis_streams: worth a warning.
std::vector<NodeFault> idle_node_keys(const Node& node);

}  // namespace limpet::config
