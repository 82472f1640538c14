#include "tests/bench/load/usage.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/bench/load/sockets.h"

namespace limpet::bench {
namespace {

struct Stat {
  pid_t parent = 0;
  std::uint64_t user = 0, system = 0;
};

bool read_stat(pid_t pid, Stat& stat) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return false;
  const std::size_t name_end = line.rfind(')');  // the name may hold anything
  if (name_end == line.npos) return false;
  std::istringstream rest(line.substr(name_end + 1));
  std::string skipped;
  rest >> skipped >> stat.parent;
  for (int i = 5; i <= 13; ++i) rest >> skipped;
  rest >> stat.user >> stat.system;
  return static_cast<bool>(rest);
}

// The process's CPU clock; -1 when it is gone.
std::int64_t cpu_ns(pid_t pid) {
  clockid_t clock;
  timespec used;
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return -1;
  return used.tv_sec * kSecond + used.tv_nsec;
}

}  // namespace

std::vector<pid_t> family_of(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  DIR* const proc = ::opendir("/proc");
  if (proc == nullptr) throw std::runtime_error("cannot read /proc");
  while (const dirent* entry = ::readdir(proc)) {
    const auto pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    Stat stat;
    if (pid > 0 && read_stat(pid, stat)) children.emplace(stat.parent, pid);
  }
  ::closedir(proc);
  std::vector<pid_t> family{root};
  for (std::size_t i = 0; i < family.size(); ++i) {
    const auto [begin, end] = children.equal_range(family[i]);
    for (auto it = begin; it != end; ++it) family.push_back(it->second);
  }
  return family;
}

CpuMeter::CpuMeter(pid_t root) : root_(root) {
  if (root == 0) return;
  if (cpu_ns(root) < 0) throw std::runtime_error("there is no process " + std::to_string(root));
  for (const pid_t pid : family_of(root)) processes_.push_back({.pid = pid});
}

void CpuMeter::start() {
  for (Process& each : processes_) {
    Stat stat;
    if (read_stat(each.pid, stat)) each.first_user = stat.user, each.first_system = stat.system;
    each.first_ns = cpu_ns(each.pid);
    each.gone = each.first_ns < 0;
  }
}

// Clocks first: looking for new processes takes a while.
void CpuMeter::stop() {
  for (Process& each : processes_) {
    each.last_ns = cpu_ns(each.pid);
    Stat stat;
    if (each.last_ns < 0 || !read_stat(each.pid, stat)) each.gone = true;
    each.last_user = stat.user;
    each.last_system = stat.system;
  }
  if (root_ == 0) return;
  for (const pid_t pid : family_of(root_)) {
    if (std::ranges::any_of(processes_, [pid](const Process& each) { return each.pid == pid; })) continue;
    Stat stat;
    if (const std::int64_t used = cpu_ns(pid); used >= 0 && read_stat(pid, stat)) {
      ++appeared_;
      processes_.push_back({.pid = pid, .last_ns = used, .last_user = stat.user, .last_system = stat.system});
    }
  }
}

Cpu CpuMeter::used() const {
  Cpu cpu{.appeared = appeared_};
  std::uint64_t user = 0, system = 0;
  for (const Process& each : processes_) {
    if (each.gone) {
      ++cpu.gone;
      continue;
    }
    cpu.total_ns += each.last_ns - each.first_ns;
    user += each.last_user - each.first_user;
    system += each.last_system - each.first_system;
  }
  if (user + system > 0) cpu.user_share = static_cast<double>(user) / static_cast<double>(user + system);
  return cpu;
}

Memory memory_of(pid_t root) {
  Memory sum;
  for (const pid_t pid : family_of(root)) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string name;
      std::uint64_t kib = 0;
      if (!(words >> name >> kib)) continue;
      if (name == "Rss:") sum.rss_kib += kib;
      if (name == "Pss:") sum.pss_kib += kib;
      if (name == "Pss_Anon:") sum.anonymous_kib += kib;
    }
  }
  return sum;
}

std::uint64_t kernel_socket_memory_kib() {
  std::ifstream file("/proc/net/sockstat");
  for (std::string line; std::getline(file, line);) {
    const std::size_t at = line.find(" mem ");
    if (!line.starts_with("TCP:") || at == line.npos) continue;
    const auto pages = std::strtoull(line.c_str() + at + 5, nullptr, 10);
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
  }
  return 0;
}

}  // namespace limpet::bench
