// The keys of [node] that are about Redis, as a node wants them.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "backend/app/cluster.h"
#include "proxy/config/config.h"

namespace limpet {

// Nothing: it has no Redis. A text: why that cannot be; no password is in it.
std::variant<std::optional<app::ClusterSettings>, std::string> to_cluster(const config::Node& node);

}  // namespace limpet
