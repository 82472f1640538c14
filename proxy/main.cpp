#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstring>

#include "proxy/bundle/guard.h"
#include "proxy/cli.h"
#include "proxy/net/signals.h"

int main(int argc, char** argv) {
  // Before anything else: the bundle starts many of these, and each is to stay small.
  if (argc > 1 && std::strcmp(argv[1], limpet::bundle::kGuardWord) == 0)
    return limpet::bundle::run_guard(argc - 2, argv + 2);
  ::prctl(PR_SET_NAME, "limpet");                // it may have been run as /proc/self/exe
  limpet::net::hold_signals({SIGHUP, SIGUSR1});  // both would end a process that has only just begun
  // A descriptor 0, 1 or 2 that is closed would become a socket, and receive what is meant for a log.
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
  ::signal(SIGPIPE, SIG_IGN);
  return limpet::run_command_line(argc, argv);
}
