#include "proxy/bundle/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "proxy/bundle/guard.h"

namespace limpet::bundle {
namespace {

std::optional<rlimit> descriptors_of_programs;  // unset: those that we have

struct Ends {
  net::Fd ours, theirs;
};

bool make_pipe(Ends& out) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return false;
  out = {net::Fd(fds[0]), net::Fd(fds[1])};
  return ::fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0;
}

bool make_lifeline(Ends& out) {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) return false;
  out = {net::Fd(fds[0]), net::Fd(fds[1])};
  return true;
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& each : words) out.push_back(const_cast<char*>(each.c_str()));
  out.push_back(nullptr);
  return out;
}

// Between fork and exec: other threads' locks are as they were, so that nothing but system calls is safe.
[[noreturn]] void become_guard(int out, int err, int lifeline, char* const* words, char* const* environment) {
  constexpr int kAbove = 16;
  const int null = ::open("/dev/null", O_RDWR);
  // First out of the way of each other, then to their places.
  const int from[] = {::fcntl(null, F_DUPFD, kAbove), ::fcntl(out, F_DUPFD, kAbove),
                      ::fcntl(err, F_DUPFD, kAbove), ::fcntl(lifeline, F_DUPFD, kAbove)};
  for (int to = 0; to < 4; ++to) {
    if (::dup2(from[to], to) < 0) ::_exit(127);
  }
  ::close_range(4, ~0u, 0);
  if (descriptors_of_programs) ::setrlimit(RLIMIT_NOFILE, &*descriptors_of_programs);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);  // SIGPIPE is ignored here
  ::execve(kThisProgram, words, environment);
  constexpr std::string_view kWhy = "limpet: cannot run /proc/self/exe\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kWhy.data(), kWhy.size());
  ::_exit(127);
}

}  // namespace

std::variant<Launched, NotLaunched> launch(const std::vector<std::string>& command,
                                           const std::vector<std::string>& environment) {
  Ends out, err, lifeline;
  if (!make_pipe(out) || !make_pipe(err) || !make_lifeline(lifeline))
    return NotLaunched{std::strerror(errno)};
  std::vector<std::string> words{"limpet", kGuardWord, "3"};
  words.insert(words.end(), command.begin(), command.end());
  const std::vector<char*> argv = pointers(words), envp = pointers(environment);
  // Blocked until the guard takes them: a handler of ours in the child would write into our own pipes.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0)
    become_guard(out.theirs.get(), err.theirs.get(), lifeline.theirs.get(), argv.data(), envp.data());
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return NotLaunched{std::strerror(error)};
  return Launched{pid, std::move(lifeline.ours), std::move(out.ours), std::move(err.ours)};
}

void raise_own_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  descriptors_of_programs = limit;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void kill_strays(const std::vector<pid_t>& known) {
  for (const pid_t each : direct_children()) {
    if (std::ranges::find(known, each) == known.end()) ::kill(each, SIGKILL);
  }
}

}  // namespace limpet::bundle
