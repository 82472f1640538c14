#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "proxy/cli.h"
#include "proxy/net/signals.h"

int main(int argc, char** argv) {
  limpet::net::hold_signals({SIGHUP, SIGUSR1});  // both would end a process that has only just begun
  // A descriptor 0, 1 or 2 that is closed would become a socket, and receive what is meant for a log.
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
  ::signal(SIGPIPE, SIG_IGN);
  return limpet::run_command_line(argc, argv);
}
