// Address: a socket address by value (IPv4, IPv6 or Unix).
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/wire/ip_address.h"

namespace limpet::net {

class Address {
 public:
  Address() = default;  // AF_UNSPEC
  static Address ip(const wire::IpAddress& address, std::uint16_t port);
  static std::optional<Address> unix_socket(std::string_view path);  // nothing if the path is too long
  static Address from(const sockaddr* raw, socklen_t length);

  int family() const { return storage_.ss_family; }
  bool is_unix() const { return family() == AF_UNIX; }
  std::uint16_t port() const;                         // 0 for a Unix socket
  std::optional<wire::IpAddress> ip_address() const;  // nothing for a Unix socket
  std::string text() const;                           // "10.0.0.1:80", "[::1]:80", "unix:/path", "unix:"

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage_); }
  socklen_t length() const { return length_; }
  void set_length(socklen_t length) { length_ = length; }
  static constexpr socklen_t kCapacity = sizeof(sockaddr_storage);
  bool operator==(const Address& other) const {
    return length_ == other.length_ && std::memcmp(&storage_, &other.storage_, length_) == 0;
  }

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace limpet::net
