// found: the servers of a file and those that its names stand for, as one configuration. Pure.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxy/config/config.h"

namespace limpet::discovery {

struct Whole {
  std::shared_ptr<const config::Config> config;  // what is written, with the found ones after it in each pool
  std::vector<std::string> left_out;             // addresses that are no servers, and why
};

using AddressesOf = std::function<std::span<const wire::IpAddress>(const std::string& host)>;
Whole with_found(const std::shared_ptr<const config::Config>& written, const AddressesOf& addresses_of);

}  // namespace limpet::discovery
