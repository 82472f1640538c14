// A child's life, with real programs: redis-server, whose PING is its check, and shells.
#include "proxy/bundle/child.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "proxy/net/signals.h"

namespace limpet::bundle {
namespace {

using testing::Contains;
using testing::ElementsAre;

constexpr std::uint64_t kPatienceMs = 60'000;
constexpr std::uint64_t kShortPatienceMs = 2'000;  // of a child that never answers

class ChildTest : public testing::Test, public Child::Owner {
 protected:
  void SetUp() override {
    char name[] = "/tmp/limpet-unit-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder = name;
  }
  void TearDown() override {
    if (child && runs(child->state())) {
      child->kill();
      EXPECT_TRUE(comes([this] { return !runs(child->state()); }));
    }
    child.reset();
    std::filesystem::remove_all(folder);
  }

  void make(std::vector<std::string> command) {
    ChildSpec spec;
    spec.id = "c";
    spec.command = std::move(command);
    spec.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    spec.check.type = Check::Type::redis;
    spec.check.address.kind = config::Endpoint::Kind::unix_socket;
    spec.check.address.path = folder + "/s";
    spec.check.interval_ms = 50;
    spec.check.http.timeout_ms = 500;
    spec.check.patience_ms = patience_ms;
    spec.check.unwell_ms = unwell_ms;
    child = std::make_unique<Child>(loop, std::move(spec), *this);
  }
  void make_redis() {
    make({"redis-server", "--port", "0", "--unixsocket", folder + "/s", "--save", "", "--dir", folder});
  }
  void make_shell(const std::string& words) { make({"sh", "-c", words}); }

  void set_password(const std::string& next, const std::string& now = "") {
    const std::string user = now.empty() ? "" : "-a " + now + " ";
    const std::string socket = "redis-cli -s " + folder + "/s ";
    ASSERT_EQ(std::system((socket + user + "config set requirepass '" + next + "' > /dev/null 2>&1").c_str()),
              0);
  }
  static int first_free_descriptor() {
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(fd);
    return fd;
  }

  // Runs the loop until `what` holds.
  bool comes(std::function<bool()> what) {
    wanted = std::move(what);
    const std::uint64_t end = net::now_ms() + kPatienceMs;
    while (!wanted() && net::now_ms() < end) {
      tick.after(10);
      loop.run();
    }
    return wanted();
  }
  // For states that last: others are gone before anybody looks.
  bool becomes(State state) {
    return comes([this, state] { return child->state() == state; });
  }
  void on_tick() { loop.stop(); }
  void reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (child && pid == child->guard()) child->on_end(status);
    }
  }
  void on_state(Child&, State from, State to) override {
    EXPECT_TRUE(allowed(from, to)) << name(from) << " to " << name(to);
    states.push_back(to);
  }
  void on_line(const Child&, std::string_view line) override { lines.emplace_back(line); }
  std::size_t times(State state) const { return static_cast<std::size_t>(std::ranges::count(states, state)); }
  bool alive(pid_t pid) const { return ::kill(pid, 0) == 0; }

  std::string folder;
  std::uint64_t patience_ms = kPatienceMs;
  std::uint64_t unwell_ms = kPatienceMs;
  net::Loop loop;
  net::Timer tick{loop, net::delegate<&ChildTest::on_tick>(this)};
  net::Signals signals{loop, {SIGCHLD}, [this](int) { reap(); }};
  std::function<bool()> wanted;
  std::vector<State> states;
  std::vector<std::string> lines;
  std::unique_ptr<Child> child;
};

TEST_F(ChildTest, StartsIsReadyAndEnds) {
  make_redis();
  EXPECT_EQ(child->state(), State::stopped);
  EXPECT_FALSE(child->begun());
  child->start();
  ASSERT_TRUE(becomes(State::ready));
  EXPECT_EQ(child->view().health, "PING: +PONG");
  EXPECT_TRUE(comes([this] { return child->view().pid > 0; }));
  EXPECT_TRUE(alive(child->view().pid));
  child->stop(10'000);
  ASSERT_TRUE(becomes(State::stopped));
  EXPECT_FALSE(child->forced());
  EXPECT_THAT(states,
              ElementsAre(State::waiting, State::starting, State::ready, State::stopping, State::stopped));
}

TEST_F(ChildTest, OneThatDiesIsStartedAgain) {
  make_redis();
  child->start();
  ASSERT_TRUE(becomes(State::ready));
  ASSERT_TRUE(comes([this] { return child->view().pid > 0; }));
  ::kill(child->view().pid, SIGKILL);
  ASSERT_TRUE(comes([this] { return times(State::ready) == 2; }));
  EXPECT_EQ(child->view().restarts, 1u);
  EXPECT_EQ(times(State::hung), 0u);
}

TEST_F(ChildTest, OneThatHangsIsReplaced) {
  make_redis();
  child->start();
  ASSERT_TRUE(becomes(State::ready));
  ASSERT_TRUE(comes([this] { return child->view().pid > 0; }));
  const pid_t first = child->view().pid;
  ::kill(first, SIGSTOP);
  ASSERT_TRUE(comes([this] { return times(State::hung) == 1; }));
  ASSERT_TRUE(comes([this] { return times(State::ready) == 2; }));
  EXPECT_FALSE(alive(first));
}

// It wants a password from now on, which is not what PING is to be answered with.
TEST_F(ChildTest, OneThatAnswersWronglyIsReplacedInTheEnd) {
  unwell_ms = 500;
  make_redis();
  child->start();
  ASSERT_TRUE(becomes(State::ready));
  set_password("secret");
  ASSERT_TRUE(comes([this] { return times(State::hung) == 1; }));
  ASSERT_TRUE(comes([this] { return times(State::ready) == 2; }));
  EXPECT_EQ(child->view().restarts, 1u);
}

TEST_F(ChildTest, OneThatAnswersAsItShouldInTimeIsNot) {
  make_redis();
  child->start();
  ASSERT_TRUE(becomes(State::ready));
  set_password("secret");
  ASSERT_TRUE(comes([this] { return child->view().health.starts_with("PING: -NOAUTH"); }));
  EXPECT_EQ(child->state(), State::ready);
  set_password("", "secret");
  ASSERT_TRUE(comes([this] { return child->view().health == "PING: +PONG"; }));
  EXPECT_EQ(times(State::hung), 0u);
}

// A script without an end: Redis says -BUSY, again and again for longer than the wrong answer above was borne.
TEST_F(ChildTest, OneThatSaysThatItIsBusyIsNeverReplaced) {
  unwell_ms = 300;
  make({"redis-server", "--port", "0", "--unixsocket", folder + "/s", "--save", "", "--dir", folder,
        "--lua-time-limit", "20"});
  child->start();
  ASSERT_TRUE(becomes(State::ready));
  const std::string redis = "redis-cli -s " + folder + "/s ";
  ASSERT_EQ(std::system((redis + "eval 'while true do end' 0 > /dev/null 2>&1 &").c_str()), 0);
  ASSERT_TRUE(comes([this] { return child->view().health.starts_with("PING: -BUSY"); }));
  const std::uint64_t enough = net::now_ms() + 5 * unwell_ms;
  ASSERT_TRUE(comes([enough] { return net::now_ms() >= enough; }));
  EXPECT_EQ(child->state(), State::ready);
  EXPECT_THAT(child->view().health, testing::StartsWith("PING: -BUSY"));
  ASSERT_EQ(std::system((redis + "script kill > /dev/null").c_str()), 0);
  ASSERT_TRUE(comes([this] { return child->view().health == "PING: +PONG"; }));
  EXPECT_EQ(times(State::hung), 0u);
}

TEST_F(ChildTest, OneThatCannotBeStartedIsTriedLessAndLess) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{static_cast<rlim_t>(first_free_descriptor()), before.rlim_max};
  make_redis();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  child->start();
  EXPECT_TRUE(child->begun()) << "nobody has to start it again";
  const bool held = becomes(State::held);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(held);
  EXPECT_EQ(times(State::starting), 0u);
  child->start();
  EXPECT_TRUE(becomes(State::ready));
}

// The supervisor itself stands still for longer than the patience, between two checks and within one.
TEST_F(ChildTest, ItsPatienceIsNotUsedUpWhileWeAreStopped) {
  patience_ms = kShortPatienceMs;
  make_shell("exec sleep 1000");
  child->start();
  ASSERT_TRUE(comes([this] { return !child->view().health.empty(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(kShortPatienceMs + 1'500));
  const std::uint64_t awake = net::now_ms();
  ASSERT_TRUE(comes([this] { return times(State::hung) == 1; }));
  EXPECT_GE(net::now_ms() - awake, kShortPatienceMs / 2);
}

TEST_F(ChildTest, NorIfThatIsInTheMiddleOfACheck) {
  const net::Fd silent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un place{AF_UNIX, {}};
  (folder + "/s").copy(place.sun_path, sizeof(place.sun_path) - 1);
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<sockaddr*>(&place), sizeof(place)), 0);
  ASSERT_EQ(::listen(silent.get(), 100), 0);
  patience_ms = kShortPatienceMs;
  make_shell("exec sleep 1000");
  child->start();
  pollfd asked{silent.get(), POLLIN, 0};
  ASSERT_TRUE(comes([&] { return ::poll(&asked, 1, 0) == 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(kShortPatienceMs + 2'000));
  const std::uint64_t awake = net::now_ms();
  ASSERT_TRUE(comes([this] { return times(State::hung) == 1; }));
  EXPECT_GE(net::now_ms() - awake, kShortPatienceMs / 2);
}

TEST_F(ChildTest, OneThatDiesWithItsGuardIsStartedAgain) {
  make_redis();
  child->start();
  ASSERT_TRUE(becomes(State::ready));
  ASSERT_TRUE(comes([this] { return child->view().pid > 0; }));
  const pid_t first = child->view().pid;
  ::kill(child->guard(), SIGKILL);
  ASSERT_TRUE(comes([this] { return times(State::ready) == 2; }));
  EXPECT_TRUE(comes([&] { return !alive(first); }));
}

TEST_F(ChildTest, ACrashLoopIsHeldAndMayBeTriedByHand) {
  make_shell("exit 3");
  child->start();
  ASSERT_TRUE(becomes(State::held));
  EXPECT_TRUE(child->failed());
  EXPECT_EQ(child->view().restarts, 4u);
  child->start();
  EXPECT_EQ(child->state(), State::starting);
  child->stop(1'000);
  ASSERT_TRUE(becomes(State::stopped));
}

TEST_F(ChildTest, WhoIsHeldEndsAtOnce) {
  make_shell("exit 3");
  child->start();
  ASSERT_TRUE(becomes(State::held));
  child->stop(1'000);
  EXPECT_EQ(child->state(), State::stopped);
  child->stop(1'000);
  EXPECT_EQ(times(State::stopped), 1u);
}

TEST_F(ChildTest, OneThatDoesNotHearIsKilled) {
  make_shell("trap '' TERM; echo up; while :; do sleep 0.05; done");
  child->start();
  ASSERT_TRUE(comes([this] { return !lines.empty(); }));
  child->stop(100);
  ASSERT_TRUE(becomes(State::stopped));
  EXPECT_TRUE(child->forced());
}

TEST_F(ChildTest, OneThatIsReplacedStartsAgain) {
  make_redis();
  child->start();
  ASSERT_TRUE(becomes(State::ready));
  child->replace(10'000);
  EXPECT_EQ(child->state(), State::stopping);
  ASSERT_TRUE(comes([this] { return times(State::ready) == 2; }));
  EXPECT_EQ(times(State::stopped), 0u);
}

TEST_F(ChildTest, LinesOfBothOutputsComeTheLastOneToo) {
  make_shell("echo out; echo err >&2; printf last; exit 0");
  child->start();
  ASSERT_TRUE(comes([this] { return times(State::waiting) >= 2; }));
  EXPECT_THAT(lines, testing::IsSupersetOf({"out", "err", "last"}));
}

TEST_F(ChildTest, AProgramThatIsNotThereIsTold) {
  make({"/no/such/program"});
  child->start();
  ASSERT_TRUE(comes([this] { return times(State::waiting) >= 2; }));
  EXPECT_THAT(lines, Contains("limpet: cannot start /no/such/program: No such file or directory"));
}

TEST_F(ChildTest, ItsEndInTheMiddleOfALifeLeavesNothing) {
  make_redis();
  child->start();
  ASSERT_TRUE(becomes(State::ready));
  ASSERT_TRUE(comes([this] { return child->view().pid > 0; }));
  const pid_t pid = child->view().pid;
  child.reset();  // the lifeline closes
  EXPECT_TRUE(comes([&] { return !alive(pid); }));
}

}  // namespace
}  // namespace limpet::bundle
