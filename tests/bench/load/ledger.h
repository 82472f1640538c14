// Ledger: the memory of what is measured, stage by stage, as growth since a baseline for each connection.
#pragma once

#include <string>

#include "tests/bench/load/load.h"

namespace limpet::bench {

class Ledger {
 public:
  explicit Ledger(Load& load);  // the baseline is now
  ~Ledger();                    // adds what it has to the line that is printed
  Ledger(const Ledger&) = delete;

  // `kernel` are the buffers of all TCP sockets of the machine: both sides of the server, and ours.
  void stage(const std::string& name, std::uint32_t connections);
  void cycle();

 private:
  Load& load_;
  Memory memory_;
  std::uint64_t kernel_;
  std::string text_, cycles_;
};

}  // namespace limpet::bench
