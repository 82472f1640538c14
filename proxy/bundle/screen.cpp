#include "proxy/bundle/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace limpet::bundle {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kBetween{500};
constexpr std::size_t kMostWaiting = 256 * 1024;  // then the pipe fills, and the log counts what it drops
constexpr int kStuckMs = 1'000;                   // a terminal that takes nothing, at the end

bool said(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

// Rows of a terminal that has become narrower are wrapped, as all others are.
std::string take_off(const std::vector<std::size_t>& rows, std::size_t width) {
  if (rows.empty()) return {};
  std::size_t lines = 0;
  for (const std::size_t each : rows) lines += each <= width ? 1 : (each + width - 1) / width;
  return "\r" + (lines > 1 ? "\x1b[" + std::to_string(lines - 1) + "A" : std::string()) + "\x1b[J";
}

std::unique_ptr<Screen> Screen::open() {
  const std::string_view term = said("TERM") ? std::getenv("TERM") : "dumb";
  if (term == "dumb" || ::isatty(STDOUT_FILENO) == 0) return nullptr;
  if (::tcgetpgrp(STDOUT_FILENO) != ::getpgrp()) return nullptr;  // in the background: lines only
  // A description of our own: that it does not block is no business of the shell's.
  net::Fd terminal(::open("/proc/self/fd/1", O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  int fds[2];
  if (terminal.get() < 0 || ::pipe2(fds, O_CLOEXEC) != 0) return nullptr;
  net::Fd lines(fds[0]), log(fds[1]);
  net::Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake.get() < 0 || ::fcntl(lines.get(), F_SETFL, O_NONBLOCK) != 0) return nullptr;
  return std::unique_ptr<Screen>(
      new Screen(std::move(terminal), std::move(lines), std::move(log), std::move(wake)));
}

Screen::Screen(net::Fd terminal, net::Fd lines, net::Fd log, net::Fd wake)
    : terminal_(std::move(terminal)),
      lines_(std::move(lines)),
      log_(std::move(log)),
      wake_(std::move(wake)),
      log_path_("/proc/self/fd/" + std::to_string(log_.get())) {
  be_quiet();
  thread_ = std::thread([this] { run(); });
}

// Whoever writes to the log has stopped.
Screen::~Screen() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  tell_thread();
  thread_.join();
  put_back();
}

// Neither this nor the other from the background, where it would stop us for good.
void Screen::be_quiet() {
  quiet_ = false;
  if (::tcgetpgrp(STDOUT_FILENO) != ::getpgrp() || ::tcgetattr(STDOUT_FILENO, &before_) != 0) return;
  termios quiet = before_;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  quiet_ = ::tcsetattr(STDOUT_FILENO, TCSANOW, &quiet) == 0;
}

void Screen::put_back() const {
  if (quiet_ && ::tcgetpgrp(STDOUT_FILENO) == ::getpgrp()) ::tcsetattr(STDOUT_FILENO, TCSANOW, &before_);
}

void Screen::leave() {
  {
    std::unique_lock lock(mutex_);
    at_ = At::leaving;
    tell_thread();
    has_left_.wait_for(lock, std::chrono::milliseconds(kStuckMs), [this] { return at_ == At::away; });
  }
  put_back();
}

void Screen::come_back() {
  be_quiet();
  {
    std::lock_guard lock(mutex_);
    at_ = At::here;
    changed_ = true;
  }
  tell_thread();
}

void Screen::show(Draw draw) {
  {
    std::lock_guard lock(mutex_);
    draw_ = std::move(draw);
    changed_ = true;
  }
  tell_thread();
}

void Screen::tell_thread() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void Screen::run() {
  Clock::time_point next = Clock::now();
  bool due = false;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    const short more = waiting_.size() < kMostWaiting ? POLLIN : 0;
    pollfd news[] = {{wake_.get(), POLLIN, 0}, {lines_.get(), more, 0}};
    ::poll(news, 2, due ? static_cast<int>(std::max<long>(left, 0)) : -1);
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
    bool ending = false;
    At at = At::here;
    {
      std::lock_guard lock(mutex_);
      due = due || changed_;
      changed_ = false;
      ending = ending_;
      at = at_;
    }
    if (more != 0 && read_lines()) due = true;
    if (ending) break;
    if (at != At::here) {
      if (at == At::leaving) go_away();
      due = false;
      continue;
    }
    if (!due || Clock::now() < next) continue;
    draw(false);
    due = false;
    next = Clock::now() + kBetween;
  }
  do {
    draw(true);
  } while (read_lines());
}

void Screen::go_away() {
  draw(true);
  {
    std::lock_guard lock(mutex_);
    if (at_ == At::leaving) at_ = At::away;
  }
  has_left_.notify_all();
}

// True: there were some.
bool Screen::read_lines() {
  char bytes[16 * 1024];
  bool any = false;
  while (waiting_.size() < kMostWaiting) {
    const ssize_t got = ::read(lines_.get(), bytes, sizeof bytes);
    if (got <= 0) break;
    any = true;
    waiting_.append(bytes, static_cast<std::size_t>(got));
  }
  return any;
}

Paper Screen::paper() const {
  Paper out;
  out.colours = !said("NO_COLOR");
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return out;
  out.width = size.ws_col;
  out.height = size.ws_row;
  return out;
}

// The table's last row has no end, so that nothing scrolls for the sake of an empty line.
void Screen::draw(bool last) {
  const Paper paper = this->paper();
  std::string text = take_off(on_screen_, paper.width);
  on_screen_.clear();
  std::size_t whole = waiting_.rfind('\n') + 1;  // 0: none
  if (whole == 0 && (last || waiting_.size() >= kMostWaiting)) whole = waiting_.size();
  text += waiting_.substr(0, whole);
  waiting_.erase(0, whole);
  if (!text.empty() && text.find("\x1b[") != std::string::npos) text += "\x1b[0m";
  Draw draw;
  {
    std::lock_guard lock(mutex_);
    draw = draw_;
  }
  if (draw && !last) {
    for (const std::string& row : draw(paper)) {
      if (!on_screen_.empty()) text += '\n';
      text += row;
      on_screen_.push_back(columns(row));
    }
  }
  write(text);
}

void Screen::write(std::string_view text) {
  while (!text.empty() && !gone_) {
    const ssize_t written = ::write(terminal_.get(), text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{terminal_.get(), POLLOUT, 0};
      const int ready = ::poll(&room, 1, kStuckMs);
      std::lock_guard lock(mutex_);
      gone_ = ready == 0 && ending_;
    } else if (errno != EINTR) {
      gone_ = true;
    }
  }
}

}  // namespace limpet::bundle
