#include "proxy/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstddef>

namespace limpet::net {

Address Address::ip(const wire::IpAddress& address, std::uint16_t port) {
  Address result;
  if (address.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage_);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    std::memcpy(&v4->sin_addr, address.bytes().data(), 4);
    result.length_ = sizeof(sockaddr_in);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage_);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    std::memcpy(&v6->sin6_addr, address.bytes().data(), 16);
    result.length_ = sizeof(sockaddr_in6);
  }
  return result;
}

std::optional<Address> Address::unix_socket(std::string_view path) {
  Address result;
  auto* un = reinterpret_cast<sockaddr_un*>(&result.storage_);
  if (path.empty() || path.size() >= sizeof(un->sun_path)) return std::nullopt;
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.data(), path.size());
  result.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return result;
}

Address Address::from(const sockaddr* raw, socklen_t length) {
  Address result;
  result.length_ = std::min<socklen_t>(length, kCapacity);
  std::memcpy(&result.storage_, raw, result.length_);
  return result;
}

std::uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  return 0;
}

std::optional<wire::IpAddress> Address::ip_address() const {
  if (family() == AF_INET) {
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, 4);
    return wire::IpAddress::v4(bytes);
  }
  if (family() == AF_INET6) {
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, 16);
    return wire::IpAddress::v6(bytes);
  }
  return std::nullopt;
}

std::string Address::text() const {
  if (auto address = ip_address()) {
    const std::string port_text = std::to_string(port());
    if (family() == AF_INET6) return "[" + address->text() + "]:" + port_text;
    return address->text() + ":" + port_text;
  }
  if (is_unix()) {
    const auto* un = reinterpret_cast<const sockaddr_un*>(&storage_);
    const std::size_t head = offsetof(sockaddr_un, sun_path);
    if (length_ <= head || un->sun_path[0] == '\0') return "unix:";
    return "unix:" + std::string(un->sun_path, ::strnlen(un->sun_path, length_ - head));
  }
  return "?";
}

}  // namespace limpet::net
