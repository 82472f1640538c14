#include "proxy/net/listener.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "proxy/net/stream.h"

namespace limpet::net {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn
constexpr int kPortTries = 16;

std::string error_text(const Address& address, const char* step, int error) {
  return address.text() + ": " + step + ": " + std::strerror(error);
}

Fd open_socket(const Address& address, bool share, std::string& error) {
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) {
    error = error_text(address, "socket", errno);
    return {};
  }
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (share) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (address.family() == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  tune_socket(fd.get(), address.family());  // accepted sockets inherit all of it
  if (::bind(fd.get(), address.raw(), address.length()) != 0) {
    error = error_text(address, "bind", errno);
    return {};
  }
  return fd;
}

Address local_address(int fd) {
  Address address;
  socklen_t length = Address::kCapacity;
  ::getsockname(fd, address.raw(), &length);
  address.set_length(length);
  return address;
}

// The inode of the socket that listens on a port, from /proc/net/tcp or tcp6; 0 if none is shown.
unsigned long listening_inode(const Address& address) {
  std::ifstream table(address.family() == AF_INET6 ? "/proc/net/tcp6" : "/proc/net/tcp");
  std::string line;
  while (std::getline(table, line)) {
    unsigned port = 0, state = 0;
    unsigned long inode = 0;
    if (std::sscanf(line.c_str(), " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*s %*s %lu", &port,
                    &state, &inode) == 3 &&
        state == 0x0A && port == address.port()) {
      return inode;
    }
  }
  return 0;
}

bool holds_socket(const std::string& fd_folder, const std::string& wanted) {
  DIR* folder = ::opendir(fd_folder.c_str());
  if (folder == nullptr) return false;
  bool found = false;
  while (const dirent* entry = ::readdir(folder)) {
    char link[64];
    const ssize_t length = ::readlink((fd_folder + "/" + entry->d_name).c_str(), link, sizeof(link));
    if (length > 0 && std::string_view(link, static_cast<std::size_t>(length)) == wanted) found = true;
  }
  ::closedir(folder);
  return found;
}

// " (held by pid 123, nginx)", or nothing where /proc does not show it.
std::string holder_of(const Address& address) {
  const unsigned long inode = listening_inode(address);
  if (inode == 0) return {};
  const std::string wanted = "socket:[" + std::to_string(inode) + "]";
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return {};
  std::string result;
  while (const dirent* entry = ::readdir(proc)) {
    const std::string pid = entry->d_name;
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!holds_socket("/proc/" + pid + "/fd", wanted)) continue;
    std::string name;
    std::getline(std::ifstream("/proc/" + pid + "/comm"), name);
    result = " (held by pid " + pid + ", " + name + ")";
    break;
  }
  ::closedir(proc);
  return result;
}

BoundListener bind_tcp(const Address& wanted, std::uint32_t workers) {
  BoundListener result;
  for (int attempt = 0; attempt < kPortTries; ++attempt) {
    result = {};
    {
      // Alone first: with SO_REUSEPORT another process of this user could share the port unnoticed.
      const Fd alone = open_socket(wanted, false, result.error);
      if (!alone) {
        if (result.error.find(std::strerror(EADDRINUSE)) != std::string::npos)
          result.error += holder_of(wanted);
        return result;
      }
      result.address = local_address(alone.get());
    }
    for (std::uint32_t i = 0; i < workers; ++i) {
      Fd fd = open_socket(result.address, true, result.error);
      if (fd && ::listen(fd.get(), kBacklog) != 0) {
        result.error = error_text(result.address, "listen", errno);
        fd.reset();
      }
      if (!fd) break;
      result.sockets.push_back(std::move(fd));
    }
    // With port 0 somebody may have taken the port between the two binds; then another one will do.
    if (result.error.empty() || wanted.port() != 0) return result;
  }
  return result;
}

// A file that a dead process left; one that somebody answers on is in use.
bool remove_stale(const Address& address, const std::string& path, std::string& error) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0) return true;
  if (!S_ISSOCK(info.st_mode)) {
    error = address.text() + ": the file exists and is no socket";
    return false;
  }
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), address.raw(), address.length()) == 0 || errno != ECONNREFUSED) {
    error = error_text(address, "bind", EADDRINUSE);
    return false;
  }
  ::unlink(path.c_str());
  return true;
}

BoundListener bind_unix(const Address& wanted, std::uint32_t workers, std::uint32_t mode) {
  BoundListener result;
  result.address = wanted;
  const std::string path = wanted.text().substr(5);
  if (!remove_stale(wanted, path, result.error)) return result;
  const mode_t before =
      ::umask(0777 & ~mode);  // the file must never be more open than asked, not for a moment
  Fd fd = open_socket(wanted, false, result.error);
  ::umask(before);
  if (!fd) return result;
  if (::listen(fd.get(), kBacklog) != 0) {
    result.error = error_text(wanted, "listen", errno);
    return result;
  }
  for (std::uint32_t i = 1; i < workers; ++i) {
    result.sockets.emplace_back(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  }
  result.sockets.push_back(std::move(fd));
  return result;
}

}  // namespace

BoundListener bind_listener(const Address& address, std::uint32_t workers, std::uint32_t unix_mode) {
  return address.is_unix() ? bind_unix(address, workers, unix_mode) : bind_tcp(address, workers);
}

}  // namespace limpet::net
