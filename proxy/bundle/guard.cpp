#include "proxy/bundle/guard.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace limpet::bundle {
namespace {

constexpr int kUsage = 2;
constexpr std::uint64_t kGraceMs = 2'000;  // after SIGTERM, when the bundle is gone or the program has ended
constexpr std::uint64_t kAgainMs = 20;     // between rounds of SIGKILL: a parent's death shows its children
constexpr std::uint64_t kEnoughMs = 10'000;  // what does not die of SIGKILL by then sleeps in the kernel

std::uint64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

class Guard {
 public:
  explicit Guard(int lifeline) : lifeline_(lifeline) {}
  void start(char** words);
  [[noreturn]] void watch();

 private:
  enum class Phase : unsigned char { running, terminating, killing };

  void on_signal(int number);
  void on_lifeline();
  void reap();
  void send(int number) const;
  void terminate();
  void terminate_strays() const;  // not of the program's group
  void kill_all();
  int wait_ms() const;
  [[noreturn]] void end() const;

  int lifeline_;
  int signals_ = -1;
  pid_t bundle_ = 0;
  pid_t program_ = 0;
  int status_ = 0;
  bool ended_ = false;  // the program; others of its group may be there
  bool left_ = false;   // what it left behind was seen to
  bool asked_ = false;  // it was told to end, and takes its time
  Phase phase_ = Phase::running;
  std::uint64_t deadline_ms_ = 0;
  std::uint64_t give_up_ms_ = 0;
};

[[noreturn]] void become_program(pid_t guard, char** words) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != guard) ::_exit(127);  // it died before that call
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const bool self = std::strcmp(words[0], "/proc/self/exe") == 0;
  char name[] = "limpet";
  const char* path = words[0];
  if (self) words[0] = name;
  ::execvp(path, words);
  std::fprintf(stderr, "limpet: cannot start %s: %s\n", path, std::strerror(errno));
  ::_exit(127);
}

void Guard::start(char** words) {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  signals_ = ::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  ::setsid();  // a terminal's Ctrl-C is for the bundle, which knows the order
  ::prctl(PR_SET_NAME, "limpet-guard");
  // The bundle's end once more: the lifeline may be held open by somebody, and if we were stopped, this is
  // the one signal that wakes us to look at it.
  bundle_ = ::getppid();
  ::prctl(PR_SET_PDEATHSIG, SIGCONT);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::fcntl(lifeline_, F_SETFD, FD_CLOEXEC);
  ::fcntl(lifeline_, F_SETFL, O_NONBLOCK);
  const pid_t self = ::getpid();
  program_ = ::fork();
  if (program_ == 0) become_program(self, words);
  if (program_ < 0 || signals_ < 0) {
    std::fprintf(stderr, "limpet: cannot start %s: %s\n", words[0], std::strerror(errno));
    ::_exit(127);
  }
  ::setpgid(program_, program_);  // whoever of us comes first
  const std::string line = std::to_string(program_) + "\n";
  [[maybe_unused]] const ssize_t written = ::write(lifeline_, line.data(), line.size());
}

void Guard::watch() {
  for (;;) {
    pollfd wanted[] = {{signals_, POLLIN, 0}, {lifeline_, POLLIN, 0}};
    ::poll(wanted, 2, wait_ms());
    signalfd_siginfo info;
    while (::read(signals_, &info, sizeof(info)) == sizeof(info)) on_signal(static_cast<int>(info.ssi_signo));
    if (wanted[1].revents != 0) on_lifeline();
    reap();
    if (phase_ != Phase::running && now_ms() >= deadline_ms_) kill_all();
  }
}

int Guard::wait_ms() const {
  if (phase_ == Phase::running) return -1;
  const std::uint64_t now = now_ms();
  return deadline_ms_ <= now ? 0 : static_cast<int>(deadline_ms_ - now);
}

void Guard::on_signal(int number) {
  switch (number) {
    case SIGCHLD: return;  // reap() is next
    case SIGCONT:
      if (::getppid() != bundle_) terminate();  // the bundle's own say nothing
      return;
    case SIGTERM:
    case SIGINT:
    case SIGQUIT:
      asked_ = true;
      send(number);
      send(SIGCONT);  // a stopped one could not hear it
      return;
    case SIGHUP:
    case SIGUSR1:
    case SIGUSR2:
      if (!ended_) ::kill(program_, number);  // its own children need not know them, and would die
      return;
    default: return;
  }
}

void Guard::on_lifeline() {
  char byte = 0;
  const ssize_t got = ::read(lifeline_, &byte, 1);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got == 1) {
    if (byte == kKillAll) kill_all();
    return;
  }
  ::close(lifeline_);
  lifeline_ = -1;  // poll() passes over it
  terminate();
}

void Guard::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == ECHILD) end();
    if (pid <= 0) break;
    if (pid != program_) continue;
    ended_ = true;
    status_ = status;
  }
  if (!ended_ || left_) return;
  left_ = true;
  // It left something behind. Of those that were told to end as well, as a shell's children are, some may
  // still be at it; who has made himself independent has not heard of it.
  asked_ ? terminate_strays() : terminate();
}

// To all of the program's group. Once the program is reaped its number is free for others, unless somebody
// who only we can reap is still of that group.
void Guard::send(int number) const {
  const bool ours = !ended_ || std::ranges::any_of(direct_children(), [this](pid_t each) {
    return ::getpgid(each) == program_;
  });
  if (ours) ::kill(-program_, number);
}

void Guard::terminate() {
  if (phase_ != Phase::running) return;
  phase_ = Phase::terminating;
  deadline_ms_ = now_ms() + kGraceMs;
  send(SIGTERM);
  send(SIGCONT);
  terminate_strays();
}

void Guard::terminate_strays() const {
  for (const pid_t each : direct_children()) {
    if (::getpgid(each) != program_) ::kill(each, SIGTERM);
  }
}

void Guard::kill_all() {
  const std::uint64_t now = now_ms();
  if (phase_ != Phase::killing) give_up_ms_ = now + kEnoughMs;
  phase_ = Phase::killing;
  if (now >= give_up_ms_) end();
  send(SIGKILL);
  for (const pid_t each : direct_children()) ::kill(each, SIGKILL);
  deadline_ms_ = now + kAgainMs;
}

void Guard::end() const {
  if (!WIFSIGNALED(status_)) ::_exit(WEXITSTATUS(status_));
  ::prctl(PR_SET_DUMPABLE, 0);  // the core is the program's; a limit would not hold for a piped one
  const int number = WTERMSIG(status_);
  ::signal(number, SIG_DFL);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, number);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
  ::raise(number);
  ::_exit(128 + number);
}

}  // namespace

int run_guard(int argc, char** argv) {
  char* end = nullptr;
  const long lifeline = argc >= 2 ? std::strtol(argv[0], &end, 10) : -1;
  if (lifeline < 3 || end == nullptr || *end != '\0' || ::fcntl(static_cast<int>(lifeline), F_GETFD) < 0) {
    std::fputs("limpet guard: for the bundle's own use\n", stderr);
    return kUsage;
  }
  Guard guard(static_cast<int>(lifeline));
  guard.start(argv + 1);
  guard.watch();
}

std::vector<pid_t> direct_children() {
  std::vector<pid_t> out;
  const std::string path = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return out;
  int pid = 0;
  while (std::fscanf(file, "%d", &pid) == 1) out.push_back(pid);
  std::fclose(file);
  return out;
}

}  // namespace limpet::bundle
