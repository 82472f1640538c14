// table: the bundle's children as rows of text for a terminal. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/bundle/overview.h"

namespace limpet::bundle {

// What is counted of a child; empty: not known.
struct Reading {
  std::optional<std::uint64_t> connections;
  std::optional<double> messages_per_s;
};
using Readings = std::map<std::string, Reading, std::less<>>;  // by the child's id

struct Paper {
  std::size_t width = 80, height = 24;
  bool colours = false;
};

// No row is wider than the paper (from 40 columns on), nor are there more than fit with a line left over;
// where children have to be left out, these are such as are ready. Empty: there is no room for any.
std::vector<std::string> table(const Overview& overview, const Readings& readings, std::uint64_t now_ms,
                               const Paper& paper);

// At most five characters: "-", "0", "99999", "123k", "1.2M".
std::string short_number(std::optional<double> number);
// "5s", "12m", "3h", "9d".
std::string short_time(std::uint64_t ms);
// Columns that a row takes: colours take none.
std::size_t columns(std::string_view row);

}  // namespace limpet::bundle
