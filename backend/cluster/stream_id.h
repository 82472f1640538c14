// StreamId: the id of an entry in a Redis stream, `<ms>-<sequence>`: what clients have for an offset. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace limpet::cluster {

struct StreamId {
  std::uint64_t ms = 0, sequence = 0;

  // As Node.js's adapter asks: digits, a hyphen, digits. Nothing: not that, or more than 64 bits.
  static std::optional<StreamId> read(std::string_view text);
  std::string text() const;
  StreamId next() const;  // the least that is greater
  auto operator<=>(const StreamId&) const = default;
};

}  // namespace limpet::cluster
