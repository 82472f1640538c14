// Modes: each is a function that runs one kind of load from its first connect to the end of its window.
#pragma once

#include "tests/bench/load/load.h"

namespace limpet::bench {

void run_echo(Load& load);
void run_paced(Load& load);
void run_push(Load& load);

}  // namespace limpet::bench
