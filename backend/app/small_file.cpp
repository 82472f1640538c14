#include "backend/app/small_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

namespace limpet::app {
namespace {

constexpr std::size_t kMost = 64 * 1024;

bool is_exposed(int fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) return false;
  const mode_t others = file.st_uid == ::geteuid() ? 0077 : 0037;
  return (file.st_mode & others) != 0;
}

}  // namespace

std::variant<SmallFile, std::string> read_small_file(const std::string& path, std::string_view if_larger) {
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "rbe"),
                                                                &std::fclose);
  if (!file) return path + ": " + std::strerror(errno);
  std::string bytes(kMost + 1, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  if (std::ferror(file.get()) != 0) return path + ": " + std::strerror(errno);
  if (bytes.size() > kMost) return (path + " is larger than 64 KiB").append(if_larger);
  return SmallFile{std::move(bytes), is_exposed(::fileno(file.get()))};
}

}  // namespace limpet::app
