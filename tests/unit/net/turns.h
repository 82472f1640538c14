// Turns: how many turns a loop has had, for tests of what has to be spread over several. The loop does not
// sleep.
#pragma once

#include "proxy/net/loop.h"

namespace limpet::net {

struct Turns {
  explicit Turns(Loop& its_loop) : loop(its_loop) { loop.at_end_of_turn(next); }
  void on_turn() {
    ++count;
    loop.at_end_of_turn(next);
  }
  Loop& loop;
  int count = 0;
  Deferred next{delegate<&Turns::on_turn>(this)};
};

}  // namespace limpet::net
