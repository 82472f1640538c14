#include "backend/redis/slots.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace limpet::redis {
namespace {

constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kMostRanges = kSlots;

// CRC-16/XMODEM: polynomial 0x1021, nothing reflected, nothing inverted.
constexpr std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned value = i << 8;
    for (int bit = 0; bit < 8; ++bit) value = (value & 0x8000) ? (value << 1) ^ 0x1021 : value << 1;
    table[i] = static_cast<std::uint16_t>(value);
  }
  return table;
}
constexpr auto kTable = make_table();

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string_view next_word(std::string_view& rest) {
  const std::size_t end = rest.find(' ');
  const std::string_view word = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return word;
}

bool is_slot(std::optional<std::int64_t> n) {
  return n && *n >= 0 && *n < static_cast<std::int64_t>(kSlots);
}

}  // namespace

std::uint16_t slot_of(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const std::size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
  }
  std::uint16_t crc = 0;
  for (const char c : key) {
    crc =
        static_cast<std::uint16_t>((crc << 8) ^ kTable[((crc >> 8) ^ static_cast<unsigned char>(c)) & 0xff]);
  }
  return crc % kSlots;
}

std::optional<Endpoint> read_endpoint(std::string_view host, std::optional<std::int64_t> port) {
  const bool sound = !host.empty() && host.size() <= kLongestHost && host != "?" &&
                     std::ranges::all_of(host, [](char c) { return c > ' ' && c < 127 && c != '/'; });
  if (!sound || !port || *port < 1 || *port > 65535) return std::nullopt;
  return Endpoint{std::string(host), static_cast<std::uint16_t>(*port)};
}

std::optional<std::vector<SlotRange>> read_slots(const Reply& reply, const Endpoint& asked) {
  std::vector<SlotRange> ranges;
  if (reply.size() == 0 || reply.size() > kMostRanges) return std::nullopt;
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const Reply each = reply[i];
    const auto first = each[0].integer(), last = each[1].integer();
    if (!is_slot(first) || !is_slot(last) || *first > *last) return std::nullopt;
    const Reply master = each[2];
    const std::string_view host = master[0].text();
    const auto endpoint = read_endpoint(host.empty() ? asked.host : host, master[1].integer());
    if (!endpoint) continue;  // one that is not known yet; the others are
    ranges.push_back({static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last), *endpoint});
  }
  if (ranges.empty()) return std::nullopt;
  return ranges;
}

std::optional<Redirect> read_redirect(std::string_view error, const Endpoint& from) {
  std::string_view rest = error;
  const std::string_view verb = next_word(rest);
  if (verb != "MOVED" && verb != "ASK") return std::nullopt;
  const auto slot = number(next_word(rest));
  const std::string_view place = next_word(rest);
  const std::size_t colon = place.rfind(':');  // an IPv6 address stands without brackets
  if (!is_slot(slot) || colon == std::string_view::npos) return std::nullopt;
  const std::string_view host = place.substr(0, colon);
  const auto to = read_endpoint(host.empty() ? from.host : host, number(place.substr(colon + 1)));
  if (!to) return std::nullopt;
  return Redirect{verb == "ASK", static_cast<std::uint16_t>(*slot), *to};
}

}  // namespace limpet::redis
