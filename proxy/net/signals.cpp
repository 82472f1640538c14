#include "proxy/net/signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <system_error>
#include <thread>

#include "proxy/net/fd.h"

namespace limpet::net {
namespace {

sigset_t set_of(std::initializer_list<int> numbers) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : numbers) ::sigaddset(&set, number);
  return set;
}

Fd checked(int fd) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "signals");
  return Fd(fd);
}

}  // namespace

void hold_signals(std::initializer_list<int> numbers) {
  const sigset_t set = set_of(numbers);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void take_default(int number) {
  const sigset_t set = set_of({number});
  ::signal(number, SIG_DFL);
  ::raise(number);  // to this thread, which takes it here
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// They stay pending until a thread that does nothing but wait reads them, and who sent them.
struct Signals::Impl {
  Impl(Loop& l, std::initializer_list<int> numbers, std::function<void(const Signal&)> then)
      : loop(l),
        set(set_of(numbers)),
        arrived(checked(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK))),
        ending(checked(::eventfd(0, EFD_CLOEXEC))),
        on_signal(std::move(then)) {}
  ~Impl() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(ending.get(), &one, sizeof one);
    if (thread.joinable()) thread.join();
    if (!kept) ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  }
  void wait() {
    for (;;) {
      pollfd wanted[] = {{arrived.get(), POLLIN, 0}, {ending.get(), POLLIN, 0}};
      ::poll(wanted, 2, -1);
      if (wanted[1].revents != 0) return;
      signalfd_siginfo info;
      while (::read(arrived.get(), &info, sizeof info) == sizeof info) {
        const Signal signal{static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL,
                            static_cast<pid_t>(info.ssi_pid)};
        loop.post([this, signal] { on_signal(signal); });
      }
    }
  }
  Loop& loop;
  const sigset_t set;
  const Fd arrived, ending;
  const std::function<void(const Signal&)> on_signal;
  std::thread thread;
  bool kept = false;
};

Signals::Signals(Loop& loop, std::initializer_list<int> numbers,
                 std::function<void(const Signal&)> on_signal) {
  hold_signals(numbers);
  impl_ = std::make_unique<Impl>(loop, numbers, std::move(on_signal));
  for (const int number : numbers) ::signal(number, SIG_DFL);  // one that is ignored might never be pending
  impl_->thread = std::thread([impl = impl_.get()] {
    ::pthread_setname_np(::pthread_self(), "limpet-signals");
    impl->wait();
  });
}

Signals::~Signals() = default;

void Signals::keep() {
  impl_->kept = true;
}

}  // namespace limpet::net
