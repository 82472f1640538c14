// As the program's: children of these tests are started through /proc/self/exe, under guards.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstring>

#include "proxy/bundle/guard.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], limpet::bundle::kGuardWord) == 0)
    return limpet::bundle::run_guard(argc - 2, argv + 2);
  ::signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
