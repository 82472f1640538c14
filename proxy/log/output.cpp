#include "proxy/log/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace limpet::log {
namespace {

int open_file(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

}  // namespace

Output::Output(std::string path) : path_(std::move(path)), fd_(open_file(path_)) {
  if (fd_ < 0) throw std::runtime_error(path_ + ": " + std::strerror(errno));
}

Output::~Output() {
  if (!path_.empty()) ::close(fd_);
}

int Output::write(std::string_view lines, std::size_t& lost) {
  std::lock_guard lock(mutex_);
  lost = 0;
  if (mid_line_) {
    if (::write(fd_, "\n", 1) == 1) mid_line_ = false;
  }
  while (!lines.empty()) {
    const ssize_t written = ::write(fd_, lines.data(), lines.size());
    if (written > 0) {
      mid_line_ = lines[static_cast<std::size_t>(written) - 1] != '\n';
      lines.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {  // an inherited pipe may be non-blocking
      pollfd room{fd_, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      const int error = errno;
      lost = static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
      return error;
    }
  }
  return 0;
}

int Output::reopen() {
  if (path_.empty()) return 0;
  const int fresh = open_file(path_);
  if (fresh < 0) return errno;
  std::lock_guard lock(mutex_);
  ::close(fd_);
  fd_ = fresh;
  mid_line_ = false;
  return 0;
}

}  // namespace limpet::log
