#include "proxy/net/holder.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string_view>

namespace limpet::net {
namespace {

using wire::IpAddress;

constexpr unsigned kListening = 0x0A;              // TCP_LISTEN, in /proc/net/tcp
constexpr unsigned kAcceptsConnections = 0x10000;  // __SO_ACCEPTCON, in /proc/net/unix

// An address of /proc/net/tcp and tcp6: words of four bytes, each printed as a number of this machine.
std::optional<IpAddress> parse_words(std::string_view hex) {
  std::array<std::uint8_t, 16> bytes{};
  if (hex.size() != 8 && hex.size() != 32) return std::nullopt;
  for (std::size_t word = 0; word < hex.size() / 8; ++word) {
    unsigned value = 0;
    if (std::sscanf(std::string(hex.substr(word * 8, 8)).c_str(), "%8X", &value) != 1) return std::nullopt;
    std::memcpy(&bytes[word * 4], &value, 4);
  }
  return hex.size() == 8 ? IpAddress::v4(std::span(bytes).first<4>()) : IpAddress::v6(bytes);
}

bool is_any(const IpAddress& address) {
  const auto bytes = address.bytes();
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

// A socket on `held` keeps us from `wanted`. The IPv6 wildcard usually takes IPv4 as well.
bool stands_in_the_way(const IpAddress& held, const IpAddress& wanted) {
  if (held.is_v4() == wanted.is_v4()) return held == wanted || is_any(held) || is_any(wanted);
  return !held.is_v4() && is_any(held);
}

// The inode of a listening socket on this port; 0 if none is shown.
unsigned long inode_in(const char* table_name, const IpAddress& wanted, unsigned port) {
  std::ifstream table(table_name);
  std::string line;
  while (std::getline(table, line)) {
    char hex[33];
    unsigned its_port = 0, state = 0;
    unsigned long inode = 0;
    const int got =
        std::sscanf(line.c_str(), " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*s %*s %lu", hex,
                    &its_port, &state, &inode);
    if (got != 4 || state != kListening || its_port != port) continue;
    const auto held = parse_words(hex);
    if (held && stands_in_the_way(*held, wanted)) return inode;
  }
  return 0;
}

unsigned long inode_of_path(const std::string& path) {
  std::ifstream table("/proc/net/unix");
  std::string line;
  while (std::getline(table, line)) {
    unsigned flags = 0;
    unsigned long inode = 0;
    int at = 0;
    // Connections to it have the same path.
    if (std::sscanf(line.c_str(), "%*s %*s %*s %x %*s %*s %lu %n", &flags, &inode, &at) == 2 && at > 0 &&
        (flags & kAcceptsConnections) != 0 &&
        std::string_view(line).substr(static_cast<std::size_t>(at)) == path) {
      return inode;
    }
  }
  return 0;
}

unsigned long listening_inode(const Address& address) {
  if (address.is_unix()) return inode_of_path(address.text().substr(5));
  const auto ip = address.ip_address();
  if (!ip) return 0;
  const unsigned long inode = ip->is_v4() ? inode_in("/proc/net/tcp", *ip, address.port()) : 0;
  return inode != 0 ? inode : inode_in("/proc/net/tcp6", *ip, address.port());
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

}  // namespace

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
    std::ifstream comm("/proc/" + pid + "/comm");
    std::getline(comm, name);
    result = " (held by pid " + pid + ", " + name + ")";
    break;
  }
  ::closedir(proc);
  return result;
}

}  // namespace limpet::net
