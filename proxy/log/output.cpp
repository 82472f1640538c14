#include "proxy/log/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace limpet::log {
namespace {

std::size_t count_lines(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// O_NONBLOCK: a named pipe that nobody reads is an error, not a wait. Only for opening: writers may wait.
int open_file(const std::string& path) {
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
  if (fd >= 0) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return fd;
}

}  // namespace

Output::Output(std::string path) : path_(std::move(path)), fd_(open_file(path_)) {
  if (fd_ < 0) throw std::runtime_error(path_ + ": " + std::strerror(errno));
}

Output::~Output() {
  if (reopens()) ::close(fd_);
}

std::shared_ptr<Output> Output::open(const std::string& path, int if_empty) {
  if (path.empty()) return std::make_shared<Output>(if_empty);
  if (path == "/dev/stdout") return std::make_shared<Output>(STDOUT_FILENO);
  if (path == "/dev/stderr") return std::make_shared<Output>(STDERR_FILENO);
  return std::make_shared<Output>(path);
}

bool Output::same_place(const Output& a, const Output& b) {
  struct stat one, other;
  return ::fstat(a.fd_, &one) == 0 && ::fstat(b.fd_, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

std::string Output::name() const {
  if (reopens()) return path_;
  return fd_ == STDOUT_FILENO ? "standard output" : fd_ == STDERR_FILENO ? "standard error" : "a descriptor";
}

// Takes what was written off `bytes`.
int Output::put(std::string_view& bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (written == 0) {
      return EIO;
    } else if (errno == EAGAIN) {  // an inherited pipe may be non-blocking
      pollfd room{fd_, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int Output::write(std::string_view lines, std::size_t& lost) {
  std::lock_guard lock(mutex_);
  std::string_view rest = rest_;
  int error = put(rest);
  rest_.erase(0, rest_.size() - rest.size());
  if (error == 0) {
    const char* const begin = lines.data();
    error = put(lines);
    if (error != 0 && error != EPIPE && lines.data() != begin && lines.data()[-1] != '\n') {
      rest_ = lines.substr(0, lines.find('\n') + 1);
      lines.remove_prefix(rest_.size());
    }
  }
  lost = count_lines(lines);
  return error;
}

int Output::reopen(std::size_t& lost) {
  lost = 0;
  if (!reopens()) return 0;
  const int fresh = open_file(path_);
  if (fresh < 0) return errno;
  std::lock_guard lock(mutex_);
  std::string_view rest = rest_;
  if (put(rest) != 0) lost = count_lines(rest);
  rest_.clear();
  ::close(fd_);
  fd_ = fresh;
  return 0;
}

}  // namespace limpet::log
