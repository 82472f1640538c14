#include "backend/codec/iso_time.h"

#include <cmath>
#include <cstdint>
#include <cstdio>

namespace limpet::codec {
namespace {

constexpr double kFurthest = 8.64e15;  // of a Date, from 1970 (ECMA-262, 21.4.1.1)
constexpr std::int64_t kDayMs = 86'400'000;

struct Day {
  std::int64_t year;
  unsigned month, day;
};

// The proleptic Gregorian calendar. std::chrono's years end before JavaScript's do.
Day day_of(std::int64_t days_since_1970) {
  constexpr std::int64_t kEra = 146'097;                // days of 400 years
  const std::int64_t days = days_since_1970 + 719'468;  // since the first of March of year 0
  const std::int64_t era = (days >= 0 ? days : days - (kEra - 1)) / kEra;
  const std::int64_t in_era = days - era * kEra;
  const std::int64_t year = (in_era - in_era / 1460 + in_era / 36'524 - in_era / 146'096) / 365;
  const std::int64_t in_year = in_era - (365 * year + year / 4 - year / 100);  // from March on
  const std::int64_t month = (5 * in_year + 2) / 153;
  const auto day = static_cast<unsigned>(in_year - (153 * month + 2) / 5 + 1);
  const auto calendar = static_cast<unsigned>(month < 10 ? month + 3 : month - 9);
  return {year + era * 400 + (calendar <= 2 ? 1 : 0), calendar, day};
}

}  // namespace

std::optional<std::string> iso_time(double ms) {
  if (!(std::abs(ms) <= kFurthest)) return std::nullopt;
  const auto time = static_cast<std::int64_t>(ms);
  const std::int64_t days = (time >= 0 ? time : time - (kDayMs - 1)) / kDayMs;
  const auto rest = static_cast<int>(time - days * kDayMs);
  const auto [year, month, day] = day_of(days);
  const char* const format = year >= 0 && year <= 9999 ? "%04lld-%02u-%02uT%02d:%02d:%02d.%03dZ"
                                                       : "%+07lld-%02u-%02uT%02d:%02d:%02d.%03dZ";
  char text[48];
  const int size = std::snprintf(text, sizeof text, format, static_cast<long long>(year), month, day,
                                 rest / 3'600'000, rest / 60'000 % 60, rest / 1000 % 60, rest % 1000);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace limpet::codec
