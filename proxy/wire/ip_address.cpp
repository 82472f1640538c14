// IpAddress, Cidr: text to value and back. The C library's converters are strict enough: no octal, no short
// forms, no zone.
#include "proxy/wire/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace limpet::wire {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool bit(std::span<const std::uint8_t> bytes, unsigned at) {
  return (bytes[at / 8] >> (7 - at % 8)) & 1;
}

}  // namespace

IpAddress IpAddress::v4(std::span<const std::uint8_t, 4> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(std::span<const std::uint8_t, 16> bytes) {
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return v4(bytes.subspan<12, 4>());
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  address.v4_ = false;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof terminated || text.find('\0') != text.npos) return std::nullopt;
  *std::ranges::copy(text, terminated).out = '\0';
  std::array<std::uint8_t, 16> bytes;
  if (inet_pton(AF_INET, terminated, bytes.data()) == 1) return v4(std::span(bytes).first<4>());
  if (inet_pton(AF_INET6, terminated, bytes.data()) == 1) return v6(bytes);
  return std::nullopt;
}

bool IpAddress::is_loopback() const {
  if (v4_) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto byte) { return byte == 0; }) &&
         bytes_[15] == 1;
}

IpAddress::Text IpAddress::shown() const {
  static_assert(sizeof(Text::bytes) == INET6_ADDRSTRLEN);
  Text out;
  if (v4_) {  // the C library would print it
    char* to = out.bytes;
    for (int i = 0; i < 4; ++i) {
      if (i > 0) *to++ = '.';
      to = std::to_chars(to, out.bytes + sizeof out.bytes, bytes_[i]).ptr;
    }
    out.size = static_cast<std::uint8_t>(to - out.bytes);
    return out;
  }
  inet_ntop(AF_INET6, bytes_.data(), out.bytes, sizeof out.bytes);
  out.size = static_cast<std::uint8_t>(std::strlen(out.bytes));
  return out;
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  const unsigned most = base->is_v4() ? 32 : 128;
  // "::ffff:10.0.0.0/104" counts its bits as v6 but is held as v4.
  const unsigned mapped = base->is_v4() && text.substr(0, slash).find(':') != text.npos ? 96 : 0;
  unsigned prefix = most + mapped;
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
  }
  if (prefix < mapped || prefix - mapped > most) return std::nullopt;
  prefix -= mapped;
  for (unsigned i = prefix; i < most; ++i) {
    if (bit(base->bytes(), i)) return std::nullopt;
  }
  return Cidr{*base, static_cast<std::uint8_t>(prefix)};
}

bool Cidr::contains(const IpAddress& address) const {
  if (address.is_v4() != base.is_v4()) return false;
  const auto a = address.bytes();
  const auto b = base.bytes();
  const std::size_t whole = prefix / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  return prefix % 8 == 0 || ((a[whole] ^ b[whole]) >> (8 - prefix % 8)) == 0;
}

std::string Cidr::text() const {
  const unsigned most = base.is_v4() ? 32 : 128;
  return prefix == most ? base.text() : base.text() + '/' + std::to_string(prefix);
}

}  // namespace limpet::wire
