// Signals: delivered as ordinary events of a loop, on its thread.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "proxy/net/loop.h"

namespace limpet::net {

class Signals {
 public:
  Signals(Loop& loop, std::initializer_list<int> numbers, std::function<void(int)> on_signal);
  ~Signals();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::net
