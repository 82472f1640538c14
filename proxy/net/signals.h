// Signals: delivered as ordinary events of a loop, on its thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <initializer_list>
#include <memory>

#include "proxy/net/loop.h"

namespace limpet::net {

// Keeps these pending until a Signals takes them, so that one that comes early is neither lost nor deadly.
// Before any other thread is made: they inherit it, and would take them otherwise.
void hold_signals(std::initializer_list<int> numbers);

// Its default effect on this process, now; of one that is held. Returns if that was to stop us and we were
// woken, or if there was none.
void take_default(int number);

// Who asks for no more than its number may take it as that.
struct Signal {
  int number = 0;
  bool of_kernel = false;  // a terminal's hangup, say
  pid_t sender = 0;        // 0: the kernel, or one that is not in our PID namespace
  operator int() const { return number; }
};

class Signals {
 public:
  Signals(Loop& loop, std::initializer_list<int> numbers, std::function<void(const Signal&)> on_signal);
  ~Signals();  // they have their default effect again, unless they are kept

  // For a process whose end goes on without us: those that come later stay pending, and change nothing of it.
  void keep();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpet::net
