// Who sent a signal, and what becomes of one that comes early or is ignored.
#include "proxy/net/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <optional>

namespace limpet::net {
namespace {

// The next one within a few seconds.
std::optional<Signal> next(int number, const std::function<void()>& send) {
  Loop loop;
  std::optional<Signal> seen;
  struct Late {
    Loop& loop;
    Timer timer{loop, delegate<&Late::stop>(this)};
    void stop() { loop.stop(); }
  } late{loop};
  late.timer.after(5'000);
  const Signals signals(loop, {number}, [&](const Signal& signal) {
    seen = signal;
    loop.stop();
  });
  send();
  loop.run();
  return seen;
}

TEST(Signals, KnowTheirSender) {
  const auto seen = next(SIGUSR1, [] { ::kill(::getpid(), SIGUSR1); });
  ASSERT_TRUE(seen);
  EXPECT_EQ(*seen, SIGUSR1);
  EXPECT_EQ(seen->sender, ::getpid());
  EXPECT_FALSE(seen->of_kernel);
}

TEST(Signals, ThoseOfTheKernelAreTold) {
  const auto seen = next(SIGALRM, [] {
    const itimerval soon{{0, 0}, {0, 1'000}};
    ::setitimer(ITIMER_REAL, &soon, nullptr);
  });
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->of_kernel);
  EXPECT_EQ(seen->sender, 0);
}

TEST(Signals, ThatComeEarlyOrAreIgnoredArrive) {
  hold_signals({SIGHUP});
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(next(SIGHUP, [] {}));
  ::signal(SIGHUP, SIG_IGN);
  EXPECT_TRUE(next(SIGHUP, [] { ::kill(::getpid(), SIGHUP); }));
}

TEST(Signals, ThatAreKeptHarmNobodyLater) {
  Loop loop;
  auto signals = std::make_unique<Signals>(loop, std::initializer_list<int>{SIGUSR2}, [](const Signal&) {});
  signals->keep();
  signals.reset();
  ::kill(::getpid(), SIGUSR2);
  sigset_t pending;
  ::sigpending(&pending);
  EXPECT_EQ(::sigismember(&pending, SIGUSR2), 1);
  EXPECT_TRUE(next(SIGUSR2, [] {}));
}

}  // namespace
}  // namespace limpet::net
