#include "backend/cluster/stream_id.h"

#include <charconv>
#include <limits>

namespace limpet::cluster {
namespace {

bool read_digits(std::string_view text, std::uint64_t& number) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stopped == end;
}

}  // namespace

std::optional<StreamId> StreamId::read(std::string_view text) {
  const std::size_t hyphen = text.find('-');
  StreamId id;
  if (hyphen == std::string_view::npos || !read_digits(text.substr(0, hyphen), id.ms) ||
      !read_digits(text.substr(hyphen + 1), id.sequence))
    return std::nullopt;
  return id;
}

std::string StreamId::text() const {
  return std::to_string(ms) + '-' + std::to_string(sequence);
}

StreamId StreamId::next() const {
  if (sequence != std::numeric_limits<std::uint64_t>::max()) return {ms, sequence + 1};
  return {ms + 1, 0};
}

}  // namespace limpet::cluster
