// Signals: delivered as ordinary events of a loop, on its thread.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "proxy/net/loop.h"

namespace limpet::net {

// Keeps these pending until a Signals takes them, so that one that comes early is neither lost nor deadly.
// Before any other thread is made: they inherit it, and the main thread alone takes signals.
void hold_signals(std::initializer_list<int> numbers);

class Signals {
 public:
  Signals(Loop& loop, std::initializer_list<int> numbers, std::function<void(int)> on_signal);
  ~Signals();  // they have their default effect again

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::net
