#include "proxy/bundle/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <random>

#include "proxy/bundle/guard.h"
#include "proxy/log/log.h"

namespace limpet::bundle {
namespace {

constexpr std::size_t kMostAtOnce = 256 * 1024;  // of a pipe, before others have their turn
constexpr std::uint64_t kHungGraceMs = 1'000;    // what hangs seldom hears SIGTERM
constexpr std::uint64_t kUnfitMs = 5'000;        // from its start, before it is said
constexpr std::uint64_t kLateMs = 1'000;         // this process itself did not run: checks say nothing

std::string how_it_ended(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  const char* const what = ::sigabbrev_np(WTERMSIG(status));
  return "SIG" + std::string(what != nullptr ? what : "?");
}

// Who has no handler for SIGTERM ends by it, and a shell says so in its exit code.
bool ended_by_request(int status) {
  return (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 128 + SIGTERM)) ||
         (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

double random_part() {
  static std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace

// What a child writes to one of its two outputs.
class Child::Pipe {
 public:
  Pipe(Child& child, net::Fd fd) : child_(child), stream_(child.loop_, std::move(fd)) { wait(); }
  ~Pipe() {
    hear();
    lines_.finish([this](std::string_view line) { child_.owner_.on_line(child_, line); });
  }
  void hear() { read(kMostAtOnce); }  // what is there by now

 private:
  void wait() { stream_.wait_read(net::delegate<&Pipe::on_readable>(this)); }
  void on_readable() {
    if (read(kMostAtOnce)) wait();
  }
  // False at its end.
  bool read(std::size_t most) {
    char bytes[16 * 1024];
    for (std::size_t all = 0; all < most;) {
      const ssize_t got = ::read(stream_.fd(), bytes, sizeof(bytes));
      if (got > 0) {
        all += static_cast<std::size_t>(got);
        lines_.feed({bytes, static_cast<std::size_t>(got)},
                    [this](std::string_view line) { child_.owner_.on_line(child_, line); });
        continue;
      }
      if (got < 0 && errno == EINTR) continue;
      const bool more_later = got < 0 && errno == EAGAIN;
      stream_.drained();
      return more_later;
    }
    return true;
  }

  Child& child_;
  net::Stream stream_;
  Lines lines_;
};

Child::Child(net::Loop& loop, ChildSpec spec, Owner& owner)
    : loop_(loop),
      spec_(std::move(spec)),
      owner_(owner),
      since_ms_(net::now_ms()),
      checker_(loop, spec_.check, [this](const Checker::Report& report) { on_report(report); }),
      check_timer_(loop, net::delegate<&Child::check>(this)),
      retry_timer_(loop, net::delegate<&Child::on_retry>(this)),
      force_timer_(loop, net::delegate<&Child::on_force>(this)) {}

Child::~Child() = default;

void Child::move_to(State next) {
  assert(allowed(state_, next));
  const State from = std::exchange(state_, next);
  since_ms_ = net::now_ms();
  owner_.on_state(*this, from, next);
}

ChildView Child::view() const {
  return {spec_.id, spec_.kind, state_, program_, restarts_, since_ms_, health_, spec_.address, spec_.admin};
}

// --- its beginning ---

void Child::start() {
  if (runs(state_)) return;
  wanted_ = begun_ = true;
  policy_.forgive();
  if (state_ == State::stopped) move_to(State::waiting);
  launch_now();
}

void Child::launch_now() {
  retry_timer_.cancel();
  auto launched = launch(spec_.command, spec_.environment);
  if (const auto* no = std::get_if<NotLaunched>(&launched)) return try_again(no->why, false);
  auto& got = std::get<Launched>(launched);
  guard_ = got.guard;
  program_ = 0;
  lifeline_ = net::Stream(loop_, std::move(got.lifeline));
  lifeline_.wait_read(net::delegate<&Child::on_lifeline>(this));
  out_ = std::make_unique<Pipe>(*this, std::move(got.out));
  err_ = std::make_unique<Pipe>(*this, std::move(got.err));
  if (starts_++ > 0) ++restarts_;
  silent_ = 0;
  unwell_since_ms_ = 0;
  forced_ = said_unfit_ = false;
  health_.clear();
  due_ms_ = net::now_ms() + spec_.check.starting_ms;
  check_timer_.after(spec_.check.starting_ms);
  move_to(State::starting);
}

void Child::on_lifeline() {
  char bytes[32];
  const net::IoResult got = lifeline_.read(bytes);
  if (got.status == net::Io::eof || got.status == net::Io::error) return;  // its end is seen by its status
  said_.append(bytes, got.bytes);
  if (said_.ends_with('\n')) {
    std::from_chars(said_.data(), said_.data() + said_.size(), program_);
    said_.clear();
  }
  lifeline_.wait_read(net::delegate<&Child::on_lifeline>(this));
}

// --- whether it lives ---

// What it has said so far stands before what is said of it.
void Child::hear() {
  if (out_) out_->hear();
  if (err_) err_->hear();
}

// A time in which we did not run, as somebody stopped us, is no silence of the child's.
void Child::pass_over_gap() {
  const std::uint64_t now = net::now_ms();
  if (now <= due_ms_ + kLateMs) return;
  silent_ = 0;
  if (state_ == State::starting) since_ms_ += now - due_ms_;
  if (unwell_since_ms_ != 0) unwell_since_ms_ += now - due_ms_;
}

void Child::check() {
  pass_over_gap();
  due_ms_ = net::now_ms() + spec_.check.http.timeout_ms;
  if (state_ == State::starting || state_ == State::ready) checker_.start();
}

void Child::on_report(const Checker::Report& report) {
  if (state_ != State::starting && state_ != State::ready) return;
  pass_over_gap();
  const std::uint64_t pause = state_ == State::starting ? spec_.check.starting_ms : spec_.check.interval_ms;
  due_ms_ = net::now_ms() + pause;
  check_timer_.after(pause);
  if (!report.known) return;
  health_ = report.text;
  if (!report.answered) return silent(report.text);
  silent_ = 0;
  if (!report.good) return unfit(report);
  if (state_ == State::ready) return well_again();
  policy_.became_ready(net::now_ms());
  said_unfit_ = false;
  hear();
  log::info("{}: ready{}", spec_.id, program_ > 0 ? ", pid " + std::to_string(program_) : "");
  move_to(State::ready);
}

void Child::silent(const std::string& what) {
  if (state_ == State::starting) {
    if (net::now_ms() - since_ms_ < spec_.check.patience_ms) return;
    hear();
    log::warn("{}: has not answered for {} s since its start ({}): it is replaced", spec_.id,
              spec_.check.patience_ms / 1000, what);
  } else {
    if (++silent_ < spec_.check.silent_most) return;
    hear();
    log::warn("{}: hangs, its process lives and {} checks in a row found no answer ({}): it is replaced",
              spec_.id, silent_, what);
  }
  replace_hung();
}

void Child::replace_hung() {
  check_timer_.cancel();
  move_to(State::hung);
  end_or_else(kHungGraceMs);
}

// It answers, and not as it should. Before it is ready that is waited for, as the check may not be meant for
// it; later it is given time to recover. One that says that it is busy knows what it does.
void Child::unfit(const Checker::Report& report) {
  const std::uint64_t now = net::now_ms();
  const bool ready = state_ == State::ready;
  if (report.busy || !ready) {
    unwell_since_ms_ = 0;
  } else if (unwell_since_ms_ == 0) {
    unwell_since_ms_ = now;
  } else if (now - unwell_since_ms_ >= spec_.check.unwell_ms) {
    hear();
    log::warn("{}: has not been well for {} s ({}): it is replaced", spec_.id, spec_.check.unwell_ms / 1000,
              report.text);
    return replace_hung();
  }
  const bool late = ready || now - since_ms_ >= kUnfitMs;
  if (!late || std::exchange(said_unfit_, true)) return;
  hear();
  log::warn("{}: {}, as its check is answered with something else: {}", spec_.id,
            ready ? "not well" : "not ready", report.text);
}

void Child::well_again() {
  unwell_since_ms_ = 0;
  if (!std::exchange(said_unfit_, false)) return;
  hear();
  log::info("{}: well again", spec_.id);
}

// --- its end ---

// A guard that somebody stopped could not hand it on.
void Child::signal(int number) {
  if (guard_ <= 0) return;
  ::kill(guard_, number);
  ::kill(guard_, SIGCONT);
}

void Child::end_or_else(std::uint64_t within_ms) {
  signal(SIGTERM);
  force_timer_.after(within_ms);
}

void Child::stop(std::uint64_t within_ms) {
  wanted_ = false;
  retry_timer_.cancel();
  if (!runs(state_)) {
    if (state_ != State::stopped) move_to(State::stopped);
    return;
  }
  if (state_ == State::stopping) return;
  check_timer_.cancel();
  checker_.cancel();
  const bool hung = state_ == State::hung;  // its end is under way
  move_to(State::stopping);
  if (!hung) end_or_else(within_ms);
}

void Child::replace(std::uint64_t within_ms) {
  if (!runs(state_)) return start();
  stop(within_ms);
  wanted_ = true;
  policy_.forgive();
}

void Child::on_force() {
  if (!runs(state_)) return;
  hear();
  if (state_ == State::stopping) log::warn("{}: did not end in time: it is killed", spec_.id);
  kill();
}

void Child::kill() {
  if (guard_ <= 0) return;
  forced_ = true;
  if (lifeline_.write(std::string_view(&kKillAll, 1)).status != net::Io::ok) lifeline_.shutdown_write();
  ::kill(guard_, SIGCONT);  // should it be stopped
}

void Child::on_end(int status) {
  const std::string how = how_it_ended(status);
  guard_ = program_ = 0;
  check_timer_.cancel();
  force_timer_.cancel();
  checker_.cancel();
  lifeline_.close();
  said_.clear();
  out_.reset();  // with what was left in them
  err_.reset();
  if (!ended_by_request(status)) forced_ = true;
  if (state_ == State::stopping) {
    log::info("{}: ended, {}", spec_.id, how);
    policy_.ended_as_asked(net::now_ms());
    if (!wanted_) return move_to(State::stopped);
    move_to(State::waiting);
    return launch_now();
  }
  try_again(how);
}

// `ran`: there was a process, and that is how it ended; otherwise why there is none.
void Child::try_again(const std::string& how, bool ran) {
  const Restarts::Verdict verdict = policy_.ended(net::now_ms(), random_part());
  if (!wanted_) return move_to(State::stopped);
  const std::uint64_t within_s = (verdict.within_ms + 999) / 1000;
  if (verdict.held && ran) {
    log::error("{}: crash loop: it ended {} times in {} s, now with {}; held back, tried again in {} s",
               spec_.id, verdict.failures, within_s, how, verdict.delay_ms / 1000);
  } else if (verdict.held) {
    log::error("{}: cannot be started, {} times in {} s: {}; held back, tried again in {} s", spec_.id,
               verdict.failures, within_s, how, verdict.delay_ms / 1000);
  } else if (ran) {
    log::warn("{}: ended, {}; started again in {} ms", spec_.id, how, verdict.delay_ms);
  } else {
    log::warn("{}: cannot be started: {}; tried again in {} ms", spec_.id, how, verdict.delay_ms);
  }
  const State next = verdict.held ? State::held : State::waiting;
  if (state_ != next) move_to(next);
  retry_timer_.after(verdict.delay_ms);
}

}  // namespace limpet::bundle
