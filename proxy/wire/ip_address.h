// IpAddress, Cidr: values. No sockets, no names.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace limpet::wire {

// An IPv4 or IPv6 address; 17 bytes, trivially copyable. A v4-mapped v6 address (::ffff:a.b.c.d) is always
// held as v4, so that one client compares equal however it arrived.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::span<const std::uint8_t, 4> bytes);
  static IpAddress v6(std::span<const std::uint8_t, 16> bytes);
  // A literal without brackets, port, zone or spaces; anything else is nothing.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const { return v4_; }
  std::span<const std::uint8_t> bytes() const { return {bytes_.data(), v4_ ? 4u : 16u}; }
  bool is_loopback() const;
  struct Text {
    char bytes[46];
    std::uint8_t size = 0;
    operator std::string_view() const { return {bytes, size}; }
  };
  Text shown() const;  // RFC 5952 for v6; no allocation
  std::string text() const { return std::string(shown()); }
  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  bool v4_ = true;
};

// A range such as 10.0.0.0/8 or 2001:db8::/32; a bare address is a range of one. Bits beyond the prefix that
// are set make parse() fail.
struct Cidr {
  IpAddress base;
  std::uint8_t prefix = 32;
  static std::optional<Cidr> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
  std::string text() const;
  bool operator==(const Cidr&) const = default;
};

}  // namespace limpet::wire
