#include "proxy/net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "proxy/net/connect.h"
#include "proxy/net/holder.h"
#include "proxy/net/stream.h"

namespace limpet::net {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn
constexpr int kPortTries = 16;

std::string error_text(const Address& address, const char* step, int error) {
  return address.text() + ": " + step + ": " + std::strerror(error);
}

// What a person can do about the two errors that nearly every first start meets.
std::string bind_error(const Address& address, int error) {
  std::string text = error_text(address, "bind", error);
  if (error == EADDRINUSE) text += holder_of(address);
  if (error == EACCES && address.port() != 0 && address.port() < 1024) {
    text += " (a port below 1024 needs root, or AmbientCapabilities=CAP_NET_BIND_SERVICE of systemd)";
  }
  return text;
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
  tune_socket(fd.get(), address);  // accepted sockets inherit all of it
  if (::bind(fd.get(), address.raw(), address.length()) != 0) {
    error = bind_error(address, errno);
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

BoundListener bind_tcp(const Address& wanted, std::uint32_t workers) {
  BoundListener result;
  for (int attempt = 0; attempt < kPortTries; ++attempt) {
    result = {};
    {
      // Alone first: with SO_REUSEPORT another process of this user could share the port unnoticed.
      const Fd alone = open_socket(wanted, false, result.error);
      if (!alone) return result;
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
  // Not blocking: somebody whose queue is full would keep us for ever.
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int answer = ::connect(probe.get(), address.raw(), address.length()) == 0 ? 0 : errno;
  if (answer == 0 || answer == EAGAIN) {
    error = bind_error(address, EADDRINUSE);
    return false;
  }
  if (answer != ECONNREFUSED) {
    error = error_text(address, "the file exists, and a connect to see whether it is in use failed", answer);
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
  struct stat info;
  if (::lstat(path.c_str(), &info) == 0) result.file = {info.st_dev, info.st_ino};
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

// A filter that picks the group's socket: they stand in it in the order in which they began to listen.
// SO_INCOMING_CPU would say the same, but in such a group the kernel has heeded it again only since 6.2.
std::string balance_by_cpu(const BoundListener& listener, std::span<const Cpu> cpus) {
  if (listener.address.is_unix() || listener.sockets.empty()) return {};
  constexpr auto kCpu = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_CPU);
  std::vector<sock_filter> filter{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCpu)};
  for (std::uint32_t i = 0; i < cpus.size(); ++i) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, cpus[i], 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, i));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, ~0u));  // no socket of the group: by hash
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::setsockopt(listener.sockets.front().get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                   sizeof(program)) == 0)
    return {};
  return error_text(listener.address, "accept_balance = \"cpu\"", errno);
}

void remove_file(BoundListener& listener) {
  if (listener.file.inode == 0) return;
  const std::string path = listener.address.text().substr(5);
  struct stat info;
  if (::lstat(path.c_str(), &info) == 0 && listener.file == FileId{info.st_dev, info.st_ino})
    ::unlink(path.c_str());
  listener.file = {};
}

}  // namespace limpet::net
