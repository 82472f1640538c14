#include "proxy/bundle/runtime_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace limpet::bundle {
namespace {

constexpr std::string_view kPrefix = "limpet-up.";
constexpr std::size_t kMostPath = 80;  // of 107 that a socket's path may have
constexpr std::time_t kYoungS = 60;    // it may be about to be locked

net::Fd open_folder(int parent, const char* name) {
  return net::Fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool is_private(int folder, struct stat& info) {
  return ::fstat(folder, &info) == 0 && info.st_uid == ::geteuid() && (info.st_mode & 0777) == 0700;
}

// Not below: what is a directory stays, and with it all of it.
void empty(int folder) {
  DIR* const entries = ::fdopendir(::dup(folder));
  if (entries == nullptr) return;
  ::rewinddir(entries);  // the place in it is shared with the descriptor
  while (const dirent* each = ::readdir(entries)) {
    if (std::strcmp(each->d_name, ".") != 0 && std::strcmp(each->d_name, "..") != 0)
      ::unlinkat(folder, each->d_name, 0);
  }
  ::closedir(entries);
}

bool remove_if_dead(int parent, const char* name) {
  const net::Fd folder = open_folder(parent, name);
  struct stat info;
  if (!folder || !is_private(folder.get(), info)) return false;
  if (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) return false;  // its bundle lives
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec - info.st_mtim.tv_sec < kYoungS && info.st_nlink == 2 &&
      ::faccessat(folder.get(), "limpet.toml", F_OK, 0) != 0)
    return false;
  empty(folder.get());
  return ::unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

std::variant<std::string, net::Fd> make(const std::string& parent, std::string& path) {
  path = parent + "/" + std::string(kPrefix) + "XXXXXX";
  if (path.size() > kMostPath) return parent + ": the path is too long for sockets in it";
  if (::mkdtemp(path.data()) == nullptr) return parent + ": " + std::strerror(errno);
  net::Fd lock = open_folder(AT_FDCWD, path.c_str());
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    const std::string why = path + ": " + std::strerror(errno);
    ::rmdir(path.c_str());
    return why;
  }
  return lock;
}

}  // namespace

std::variant<RuntimeFolder, std::string> RuntimeFolder::create(const std::vector<std::string>& parents) {
  std::string wrong = "no directory for sockets";
  for (const std::string& parent : parents) {
    if (parent == "/run/limpet" && ::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) continue;
    remove_stale(parent);
    std::string path;
    auto made = make(parent, path);
    if (auto* lock = std::get_if<net::Fd>(&made)) return RuntimeFolder(std::move(path), std::move(*lock));
    wrong += "; " + std::get<std::string>(made);
  }
  return wrong;
}

RuntimeFolder::~RuntimeFolder() {
  if (!lock_) return;
  empty(lock_.get());
  ::rmdir(path_.c_str());
}

std::string RuntimeFolder::write(std::string_view name, std::string_view text) const {
  const std::string fresh = "." + std::string(name) + ".new";
  ::unlinkat(lock_.get(), fresh.c_str(), 0);
  net::Fd file(
      ::openat(lock_.get(), fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  while (file && !text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return path_ + "/" + fresh + ": " + std::strerror(errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (file && ::renameat(lock_.get(), fresh.c_str(), lock_.get(), std::string(name).c_str()) == 0) return {};
  return path_ + "/" + std::string(name) + ": " + std::strerror(errno);
}

std::vector<std::string> runtime_parents() {
  std::vector<std::string> parents;
  for (const char* variable : {"RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value != '/') continue;
    const std::string_view all = value;  // systemd gives several with ':' between them
    parents.emplace_back(all.substr(0, all.find(':')));
  }
  if (::geteuid() == 0) parents.emplace_back("/run/limpet");
  parents.emplace_back("/tmp");
  return parents;
}

std::size_t remove_stale(const std::string& parent) {
  const net::Fd folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* const entries = folder ? ::fdopendir(::dup(folder.get())) : nullptr;
  if (entries == nullptr) return 0;
  std::vector<std::string> names;
  while (const dirent* each = ::readdir(entries)) {
    if (std::string_view(each->d_name).starts_with(kPrefix)) names.emplace_back(each->d_name);
  }
  ::closedir(entries);
  std::size_t removed = 0;
  for (const std::string& each : names) removed += remove_if_dead(folder.get(), each.c_str()) ? 1 : 0;
  return removed;
}

}  // namespace limpet::bundle
