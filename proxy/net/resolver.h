// Resolver: host names to addresses, off the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/address.h"
#include "proxy/net/loop.h"

namespace limpet::net {

class Resolver {
 public:
  explicit Resolver(Loop& loop);
  ~Resolver();  // pending answers are dropped
  using Answer =
      std::function<void(std::vector<Address> addresses, std::string error)>;  // on the loop's thread
  void resolve(const std::string& host, std::uint16_t port, Answer then);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace limpet::net
