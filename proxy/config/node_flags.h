// NodeFlags: the keys of [node] as flags of `limpet node`: --ping-interval is ping_interval.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.h"

namespace limpet::config {

struct NodeFlag {
  std::string name;  // "--ping-interval"
  std::string
      type;  // "DURATION"; empty: it takes no value ("--allow-eio3"), or one after "=" ("--allow-eio3=false")
  std::string help;
  std::string group;     // under which --help shows it; empty: the first
  bool repeats = false;  // each adds one to a list
};
std::vector<NodeFlag> node_flags();
std::string flag_of(std::string_view key);  // ping_interval: "--ping-interval"

// Sets a key by its flag's values, as strictly as a file is read. What is wrong, or nothing.
std::optional<std::string> set_node_flag(Node& node, std::string_view name,
                                         const std::vector<std::string>& values);

}  // namespace limpet::config
